/** The promises that the mutation check breaks: each mutation patches the source of one build, and the torture run must report it. */

/** One change to one file. `find` is on a single line and occurs exactly once in the file. */
export interface Patch {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutation {
  readonly name: string
  /** The violation that the torture run must report, among others perhaps. */
  readonly promise: string
  /** The first seed, where only some plans contain what it needs. */
  readonly seed?: number
  /** Reported by a run that is mostly about this. */
  readonly focus?: "limits" | "merges"
  readonly patches: ReadonlyArray<Patch>
}

const claiming: ReadonlyArray<Mutation> = [
  {
    name: "over-limit",
    promise: "at most maxConcurrency at the same time",
    patches: [
      {
        file: "src/layers/sql/queue/claim.ts",
        find: "onlyWhenIdle ? Math.min(1, maxConcurrency) : maxConcurrency",
        replace: "onlyWhenIdle ? Math.min(1, maxConcurrency) : Number.MAX_SAFE_INTEGER"
      }
    ]
  },
  {
    name: "start-blocked",
    promise: "a task starts when it may",
    patches: [
      {
        file: "src/layers/sql/queue/Queue.ts",
        find: "Effect.zipRight(store(arrivals, maxDepth)),",
        replace:
          "Effect.zipRight(store(arrivals, maxDepth)), Effect.zipLeft(sql`UPDATE tasks SET waiting_on = 0 WHERE status = 'queued'`),"
      }
    ]
  }
]

const starting: ReadonlyArray<Mutation> = [
  {
    name: "double-start",
    promise: "an agent starts at most once",
    patches: [
      {
        file: "src/layers/node/spool/Shim.ts",
        find: 'mkdir "$backbeat_spool/started" || exit 0',
        replace: 'mkdir "$backbeat_spool/started" || :'
      },
      {
        file: "src/layers/node/spool/ShimStart.ts",
        find: "const shim = yield* spawnShim(claimed, files, prompt)",
        replace: "const shim = yield* spawnShim(claimed, files, prompt)\n    yield* spawnShim(claimed, files, prompt)"
      }
    ]
  },
  {
    name: "requeue-started",
    promise: "what was started is never put back",
    patches: [
      {
        file: "src/programs/worker/followAgent.ts",
        find: "const seen = yield* look(supervision, claim)",
        replace: "const seen = yield* look(supervision, claim)\n    if (supervision.fresh === null) return null"
      }
    ]
  },
  {
    name: "worker-umask",
    promise: "a task runs as it was submitted",
    patches: [
      {
        file: "src/layers/node/spool/Shim.ts",
        find: 'command umask "$backbeat_umask"',
        replace: ":"
      }
    ]
  },
  {
    name: "no-adopt",
    promise: "every task ends",
    patches: [
      {
        file: "src/layers/sql/workers/WorkerRegistry.ts",
        find: "(function* (claimId, from, to) {",
        replace: "(function* (claimId, from, to) {\n      if (claimId !== null) return false"
      }
    ]
  }
]

const output: ReadonlyArray<Mutation> = [
  {
    name: "drop-chunk",
    promise: "every byte is stored, in order",
    patches: [
      {
        file: "src/layers/sql/output/OutputStore.ts",
        find: "seq += 1",
        replace: "seq += 1\n        if (seq % 3 === 0) continue"
      }
    ]
  },
  {
    name: "skip-drain",
    promise: "every byte is stored, in order",
    patches: [
      {
        file: "src/programs/worker/TaskLife.ts",
        find: "if (followed.begun) yield* drain(supervision, progress, listening)",
        replace: ""
      }
    ]
  }
]

const provenSuccess = (condition: string): ReadonlyArray<Patch> => [
  {
    file: "src/programs/worker/judgeExit.ts",
    find: "if (claim.stopCause !== null) {",
    replace: `if (${condition}) return outcome({ ...found, status: "completed", cause: "exit" })\n  if (claim.stopCause !== null) {`
  }
]

const judging: ReadonlyArray<Mutation> = [
  { name: "trust-exit-code", promise: "success is proven", patches: provenSuccess("ending.end.exitCode === 0") },
  { name: "signal-is-success", promise: "success is proven", patches: provenSuccess("ending.end.signal !== null") },
  {
    name: "lost-is-success",
    promise: "the end agrees with what happened",
    patches: provenSuccess("ending.lost")
  }
]

const finish = "src/layers/sql/queue/finish.ts"

const ending: ReadonlyArray<Mutation> = [
  {
    name: "skip-outbox",
    promise: "one event for each end",
    patches: [
      {
        file: finish,
        find: "const written = yield* writeEvent(event).pipe(orDieWhenMissing)",
        replace: "const written = { ...event, seq: 0 }"
      }
    ]
  },
  {
    name: "keep-worker",
    promise: "nothing remains",
    patches: [{ file: finish, find: "if (holder !== null) {", replace: "if (holder === undefined) {" }]
  },
  {
    name: "change-after-end",
    promise: "an end never changes",
    patches: [
      {
        file: finish,
        find: "const written = yield* writeEvent(event).pipe(orDieWhenMissing)",
        replace: [
          "yield* sql`DROP TRIGGER IF EXISTS tasks_terminal_is_final`",
          "yield* sql`UPDATE tasks SET error = coalesce(error, '') || '!' WHERE ended_at IS NOT NULL`",
          "const written = yield* writeEvent(event).pipe(orDieWhenMissing)"
        ].join("\n")
      }
    ]
  },
  {
    name: "skip-sweep",
    promise: "nothing remains",
    // A task near the end of its plan leaves a process behind.
    seed: 11,
    patches: [{ file: "src/programs/worker/TaskLife.ts", find: 'settings.leftovers === "end" ||', replace: "false ||" }]
  },
  {
    name: "no-cascade",
    promise: "every task ends",
    patches: [{ file: finish, find: "awaited === 1 ? yield* releaseDependents(id) : []", replace: "[]" }]
  },
  {
    name: "no-retry",
    promise: "failed work is tried again",
    patches: [{ file: finish, find: "(yield* isWanted(id))", replace: "false" }]
  },
  {
    name: "keep-edges",
    promise: "a task starts when it may",
    patches: [{ file: finish, find: "yield* handOver(id, retriedBy)", replace: "" }]
  },
  {
    name: "silent-pipeline",
    promise: "a pipeline ends with its last step",
    patches: [
      {
        file: "src/layers/sql/pipelines/pipelineEnds.ts",
        find: "if (touched.length === 0) return",
        replace: "if (touched.length >= 0) return"
      }
    ]
  },
  {
    name: "no-checkpoint",
    promise: "a task that has run leaves a checkpoint",
    patches: [
      {
        file: "src/programs/checkpoints/makeCheckpointKeeper.ts",
        find: "retryWhileStorageFails(takeCheckpoint(taskId))",
        replace: "persist(Effect.void)"
      }
    ]
  }
]

const answering: ReadonlyArray<Mutation> = [
  {
    name: "early-success",
    promise: "an answer comes after the commit",
    patches: [
      {
        file: "src/layers/sql/queue/Queue.ts",
        find: "Effect.zipRight(store(arrivals, maxDepth)),",
        replace:
          "Effect.zipRight(store(arrivals, maxDepth)), Effect.zipLeft(sql`DELETE FROM tasks WHERE status = 'queued'`),"
      }
    ]
  },
  {
    name: "early-cancel",
    promise: "an answer comes after the commit",
    patches: [
      {
        file: "src/programs/tasks/cancel.ts",
        find: 'yield* waitFor(fresh, { ...options, goal: "end", any: false })',
        replace: ""
      }
    ]
  },
  {
    name: "edit-started",
    promise: "an edit is whole, and what runs",
    patches: [
      {
        file: "src/programs/tasks/edit.ts",
        find: 'if (task.status !== "queued")',
        replace: 'if (task.status === "pending")'
      },
      {
        file: "src/layers/sql/queue/edit.ts",
        find: 'if (standing.status !== "queued" || standing.revision !== revision) {',
        replace: "if (standing.revision !== revision) {"
      }
    ]
  },
  {
    name: "forget-run",
    promise: "a schedule fires each time once",
    patches: [
      {
        file: "src/layers/sql/schedules/fire.ts",
        find: "run === null || !(yield* isNew(id, run))",
        replace: "run === null || now % 2 === 0 || !(yield* isNew(id, run))"
      }
    ]
  }
]

const surroundings: ReadonlyArray<Mutation> = [
  {
    name: "relative-home",
    promise: "there is one queue",
    patches: [
      {
        file: "src/layers/node/files/Paths.ts",
        find: "isAbsolute(own) ? resolve(own) : resolve(directories.current(), own)",
        replace: 'isAbsolute(own) ? resolve(own) : resolve(directories.current(), "..", "elsewhere")'
      }
    ]
  },
  {
    name: "forget-emptied",
    promise: "every byte is stored, in order",
    patches: [
      {
        file: "src/programs/worker/capture.ts",
        find: "store.restart({ taskId: claimed.task.id, stream, at: at.size })",
        replace: "Effect.succeed({ base: at.base, emptied: at.emptied, size: at.size })"
      }
    ]
  },
  {
    name: "wall-clock",
    promise: "nothing ends before its time",
    // Plans with a schedule that makes up for missed times leave the clock alone.
    seed: 212,
    patches: [
      {
        file: "src/layers/node/process/Host.ts",
        find: "uptimeMs: Effect.sync(uptime),",
        replace: "uptimeMs: Effect.sync(() => Date.now()),"
      }
    ]
  }
]

const parking = "src/layers/sql/limits/park.ts"

const limits: ReadonlyArray<Mutation> = [
  {
    name: "park-twice",
    promise: "a limit parks, it does not fail",
    focus: "limits",
    patches: [{ file: parking, find: "parks = parks + $", replace: "parks = parks + 1 + $" }]
  },
  {
    name: "forget-window",
    promise: "a closed limit starts nothing",
    focus: "limits",
    patches: [{ file: "src/layers/sql/limits/windows.ts", find: "yield* reopen(gate, before)", replace: "" }]
  },
  {
    name: "no-places",
    promise: "after a limit one task asks, and the others wait for its answer",
    focus: "limits",
    patches: [
      {
        file: "src/layers/sql/limits/placeConditions.ts",
        find: "(accounts.places IS NULL",
        replace: "(accounts.places IS NULL OR accounts.places > 0"
      }
    ]
  },
  {
    name: "parked-last",
    promise: "what a limit parked is not overtaken",
    focus: "limits",
    patches: [
      {
        file: "src/layers/sql/queue/claim.ts",
        find: "ORDER BY priority, seq LIMIT 1",
        replace: "ORDER BY parks, priority, seq LIMIT 1"
      }
    ]
  },
  {
    name: "count-cumulative-twice",
    promise: "the ledger has what was used, once",
    focus: "limits",
    patches: [
      {
        file: "src/layers/sql/usage/recordUsage.ts",
        find: "cumulative && sessionId !== null ? yield* sinceLast(taskId, sessionId, use) : use",
        replace: "use"
      }
    ]
  },
  {
    name: "read-old-evidence",
    promise: "the ledger has what was used, once",
    focus: "limits",
    patches: [{ file: parking, find: "SET base = size, since = size", replace: "SET base = size" }]
  },
  {
    name: "reserve-nothing",
    promise: "a budget holds",
    focus: "limits",
    patches: [
      {
        file: "src/layers/sql/queue/claim.ts",
        find: "SET reserve_micro = lanes.reserve_micro, reserve_tokens = lanes.reserve_tokens",
        replace: "SET reserve_micro = 0, reserve_tokens = 0"
      }
    ]
  }
]

const newer: ReadonlyArray<Mutation> = [
  {
    name: "wake-early",
    promise: "a lead is woken once, and not before its tasks have ended",
    patches: [
      {
        file: "src/layers/sql/wakes/Wakes.ts",
        find: "for (const [position, awaitedId] of awaited.entries()) {",
        replace: "for (const [position, awaitedId] of awaited.slice(0, 0).entries()) {"
      }
    ]
  },
  {
    name: "say-twice",
    promise: "a message reaches its agent once",
    patches: [
      {
        file: "src/layers/node/spool/Input.ts",
        find: "await append(files, lineOf(id, text), begun)",
        replace: 'await append(files, lineOf(id, text), begun)\n    await append(files, lineOf(id, text), "")'
      }
    ]
  },
  {
    name: "any-verdict",
    promise: "a loop is what its rounds say",
    patches: [
      {
        file: "src/domain/loop/Evaluation.ts",
        find: 'return { verdict: "fail", score: null }',
        replace: 'return { verdict: "error", score: null }'
      },
      {
        file: "src/domain/loop/LoopDecision.ts",
        find: "kept ? newest.commit : (newestKept",
        replace: "kept && newest.round < 0 ? newest.commit : (newestKept"
      }
    ]
  },
  {
    name: "forget-round",
    promise: "every loop ends",
    patches: [
      {
        file: "src/layers/sql/loops/loopEnds.ts",
        find: "yield* storeNext(loopId, loop, next, at)",
        replace: 'if (next._tag !== "Round") yield* storeNext(loopId, loop, next, at)'
      }
    ]
  },
  {
    name: "seal-nothing",
    promise: "what an agent left is sealed",
    patches: [
      {
        file: "src/layers/node/git/SealWorkspace.ts",
        find: "addAll(clean, workspace, nested, sealMs)",
        replace: 'addAll(clean, workspace, [...nested, "n"], sealMs)'
      }
    ]
  }
]

const recovery = "src/programs/merges/recoverMerge.ts"

const merging: ReadonlyArray<Mutation> = [
  {
    name: "forget-merge",
    promise: "a merge is whole, or nothing has changed",
    focus: "merges",
    // Its first merge is killed when all of it is done.
    seed: 770,
    patches: [
      {
        file: recovery,
        find: 'state === "testing" || merged === null',
        replace: 'state !== "undoing" || merged === null'
      }
    ]
  },
  {
    name: "rename-unsealed",
    promise: "what is reclaimed was sealed, and comes back",
    focus: "merges",
    patches: [
      {
        file: "src/programs/workspaces/reclaimWorkspace.ts",
        find: "whole ? yield* secure(workspace) : yield* lateBefore(workspace)",
        replace: "whole ? null : yield* lateBefore(workspace)"
      }
    ]
  }
]

const hooks: ReadonlyArray<Mutation> = [
  {
    name: "forget-sending",
    promise: "each end reaches its hook",
    patches: [
      {
        file: "src/programs/hooks/Deliverer.ts",
        find: "if (!lives && (yield* deliveries.release(taken))) yield* wake",
        replace: "if (!lives) yield* wake"
      }
    ]
  },
  {
    name: "another-id",
    promise: "a message to a hook keeps its id",
    patches: [
      {
        file: "src/layers/node/hooks/HookSender.ts",
        find: "BACKBEAT_EVENT_ID: id,",
        replace: "BACKBEAT_EVENT_ID: id + Date.now(),"
      }
    ]
  }
]

export const mutations: ReadonlyArray<Mutation> = [
  ...newer,
  ...merging,
  ...hooks,
  ...limits,
  ...surroundings,
  ...claiming,
  ...starting,
  ...output,
  ...judging,
  ...ending,
  ...answering
]

/** The text with the patch applied. Throws when `find` does not occur exactly once. */
export const applyPatch = (text: string, { file, find, replace }: Patch): string => {
  const [before, after, ...more] = text.split(find)
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file}: expected exactly one occurrence of: ${find}`)
  }
  return `${before}${replace}${after}`
}
