/** The HTTP API of `beat web` as one value: the server, its document and its tests are made from it. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { EventsApi } from "./EventsApi.ts"
import { PlansApi } from "./PlansApi.ts"
import * as Problem from "./Problem.ts"
import { QuestionsApi } from "./QuestionsApi.ts"
import { TasksApi } from "./TasksApi.ts"
import { UsageApi } from "./UsageApi.ts"

export const Api = HttpApi.make("backbeat")
  .add(TasksApi)
  .add(EventsApi)
  .add(QuestionsApi)
  .add(UsageApi)
  .add(PlansApi)
  .addError(Problem.Invalid)
  .addError(Problem.Unauthorized)
  .addError(Problem.Refused)
  .addError(Problem.Missing)
  .addError(Problem.Conflict)
  .addError(Problem.TooLarge)
  .addError(Problem.Unsupported)
  .addError(Problem.Misdirected)
  .addError(Problem.Unable)
  .addError(Problem.Broken)
  .addError(Problem.Unavailable)
  .prefix("/api/v1")
  .annotate(OpenApi.Title, "Backbeat")
  .annotate(
    OpenApi.Description,
    "The API of `beat web`, on this machine alone. Every request needs the header `Authorization: Bearer TOKEN`; `beat web url` prints the token behind `#t=`."
  )
