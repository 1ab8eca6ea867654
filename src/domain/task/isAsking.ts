/** Whether a task waits for a person: its questions are open, so that no worker can continue it, whether its agent runs or not. */
import type { TaskStatus } from "./Task.ts"

export const isAsking = ({ asks, status }: { readonly asks: number; readonly status: TaskStatus }): boolean =>
  asks > 0 && (status === "queued" || status === "running")
