/** Who is let in: each way in which a page of another origin may come to the port. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { type Asked, refusalOf, sameText } from "../../src/web/server/Guard.ts"

const token = "k".repeat(43)
const allowed = { port: 4180, token: Redacted.make(token), readOnly: false }

const asked: Asked = {
  method: "GET",
  isAsset: false,
  host: "127.0.0.1:4180",
  origin: undefined,
  site: undefined,
  authorization: `Bearer ${token}`
}

const answer = (changes: Partial<Asked>, mine = allowed) => refusalOf({ ...asked, ...changes }, mine)?._tag ?? "ok"

describe("the guard", () => {
  it("lets in a client that has the token, by any name of the loopback", () => {
    for (const host of ["127.0.0.1:4180", "localhost:4180", "LOCALHOST:4180", "[::1]:4180"]) {
      assert.strictEqual(answer({ host }), "ok", host)
      assert.strictEqual(answer({ host, origin: `http://${host.toLowerCase()}` }), "ok", host)
    }
  })

  it("refuses another host, also one that leads here", () => {
    const others = [
      undefined,
      "",
      "evil.example",
      "evil.example:4180",
      "127.0.0.1",
      "127.0.0.1:4181",
      "127.0.0.1.evil:4180"
    ]
    for (const host of others) {
      assert.strictEqual(answer({ host }), "ForeignHost", host)
      // Before anything else, also for the files of the page.
      assert.strictEqual(answer({ host, isAsset: true, authorization: undefined }), "ForeignHost", host)
    }
  })

  it("refuses pages of other origins", () => {
    for (const origin of [
      "https://evil.example",
      "null",
      "http://127.0.0.1:3000",
      "http://localhost:4180",
      "https://127.0.0.1:4180"
    ]) {
      assert.strictEqual(answer({ origin }), "ForeignOrigin", origin)
      assert.strictEqual(answer({ origin, method: "OPTIONS" }), "ForeignOrigin", origin)
    }
    for (const site of ["cross-site", "same-site", "none"]) {
      assert.strictEqual(answer({ method: "POST", site }), "ForeignOrigin", site)
    }
    assert.strictEqual(answer({ method: "POST", site: "same-origin" }), "ok")
    // A link in another page may lead here.
    assert.strictEqual(answer({ isAsset: true, site: "cross-site", authorization: undefined }), "ok")
  })

  it("asks for the token for all but the files of the page", () => {
    for (const authorization of [
      undefined,
      "",
      token,
      `Basic ${token}`,
      "Bearer ",
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`
    ]) {
      assert.strictEqual(answer({ authorization }), "Unauthorized", authorization)
      assert.strictEqual(answer({ isAsset: true, authorization }), "ok", authorization)
      assert.strictEqual(answer({ isAsset: true, method: "POST", authorization }), "Unauthorized", authorization)
    }
  })

  it("changes nothing for a server that only shows", () => {
    const mine = { ...allowed, readOnly: true }
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      assert.strictEqual(answer({ method }, mine), "ReadOnly")
      // Whoever has no token is not told what the server is.
      assert.strictEqual(answer({ method, authorization: undefined }, mine), "Unauthorized")
    }
    assert.strictEqual(answer({}, mine), "ok")
  })

  it("tells equal texts from others", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), FastCheck.string(), (left, right) => {
        assert.strictEqual(sameText(left, right), left === right)
        assert.isTrue(sameText(left, left))
      })
    )
  })
})
