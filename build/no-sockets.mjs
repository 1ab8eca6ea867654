/** In the place of `ws` and `undici`: the web server speaks no WebSocket and asks no other server anything. */
export default {}
export class WebSocketServer {}
export const WebSocket = WebSocketServer
