/**
 * Lets a test process read its messages between two tests: the runner gives one up that is silent for a minute, as a row of tests
 * without a pause is on a machine with a load of ten.
 */
import { setImmediate } from "node:timers/promises"
import { afterEach } from "vitest"

afterEach(() => setImmediate())
