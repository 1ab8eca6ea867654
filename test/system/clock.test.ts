/** A real worker under a wall clock that is set while it works: no timeout comes early, no schedule falls silent. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { patient } from "../support/pace.ts"
import { Beat, type RunningBeat, until } from "./Beat.ts"

const hour = 3_600_000
const timeoutMs = 4000

/** Adds the seconds in a file to each wall clock that a program reads. Clocks that cannot be set stay as they are. */
const source = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int *ahead;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("TEST_CLOCK_FILE");
  int fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  void *page = mmap(NULL, sizeof(int), PROT_READ, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) ahead = page;
  close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  int result = syscall(SYS_clock_gettime, clock, at);
  if (result == 0 && ahead != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += *ahead;
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  (void)zone;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return result;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}
`

const scratch = mkdtempSync(join(tmpdir(), "beat-clock-"))
const library = join(scratch, "clock.so")
const clockFile = join(scratch, "ahead")
const compiler = spawnSync("cc", ["-shared", "-fPIC", "-O1", "-x", "c", "-o", library, "-"], { input: source })

const set = (milliseconds: number) => {
  const seconds = Buffer.alloc(4)
  seconds.writeInt32LE(milliseconds / 1000)
  // In place: the file is mapped into the processes.
  writeFileSync(clockFile, seconds, { flag: "r+" })
}

const jumps = [
  ["forward by two hours and back", [2 * hour, 0]],
  ["back by two hours", [-2 * hour]]
] as const

describe.skipIf(process.platform !== "linux" || compiler.error !== undefined)("a clock that is set", () => {
  const beat = new Beat({ LD_PRELOAD: library, TEST_CLOCK_FILE: clockFile })
  let worker: RunningBeat

  beforeAll(() => {
    assert.strictEqual(compiler.status, 0, String(compiler.stderr))
    writeFileSync(clockFile, Buffer.alloc(4))
    worker = beat.start(["worker", "--keep"])
  })
  afterAll(async () => {
    worker.child.kill("SIGTERM")
    await worker.done
    await beat.close()
    rmSync(scratch, { recursive: true, force: true })
  })

  /** Due times of the runs that were started. */
  const started = () =>
    beat
      .rows<{ due_at: number }>("SELECT due_at FROM schedule_executions WHERE task_id IS NOT NULL")
      .map(({ due_at }) => due_at)

  /** A run that is due near what the clock shows now, and that did not exist when the clock was set. */
  const runsAgain = async (ahead: number) => {
    const before = new Set(started())
    const now = Date.now() + ahead
    await until("a run by the new clock", () =>
      started().some((at) => !before.has(at) && Math.abs(at - now) < hour / 2)
    )
  }

  it.each(jumps)("%s ends no task before its timeout, and no later", async (_name, steps) => {
    set(0)
    const submitted = performance.now()
    const id = await beat.submit("sleep 600", ["--timeout", `${timeoutMs}ms`])
    await until("the task runs", () => beat.shim(id) !== null)
    const began = performance.now()
    for (const step of steps) {
      set(step)
      // The worker has looked at the new clock when it has run another task.
      await beat.run(["run", "-f", "-a", "shell", "true"])
    }
    await until("the task has ended", () => beat.status(id).status !== "running")
    assert.deepInclude(beat.status(id), { status: "failed", cause: "timeout" })
    assert.isAtLeast(performance.now() - submitted, timeoutMs)
    assert.isBelow(performance.now() - began, patient(timeoutMs + 10_000))
  })

  it.each(jumps)("%s leaves no schedule silent", async (_name, steps) => {
    set(0)
    const made = await beat.run(["schedule", "create", "--cron", "* * * * * *", "-a", "shell", "true"])
    assert.strictEqual(made.code, 0, made.stderr)
    await runsAgain(0)
    for (const step of steps) {
      set(step)
      await runsAgain(step)
    }
    const history = await beat.run(["schedule", "history", made.stdout.trim()])
    assert.include(history.stdout, "the clock was set back")
    await beat.run(["schedule", "cancel", made.stdout.trim()])
  })
})
