/** The OpenAPI 3.1 document of the API, made from its schemas. */
import * as OpenApi from "@effect/platform/OpenApi"
import { Api } from "./Api.ts"

const { components, paths, ...rest } = OpenApi.fromApi(Api)

/** Forms of the framework: this server answers with problems in their place. */
const unused = ["HttpApiDecodeError", "Issue", "PropertyKey"]

/** All problems have one form, which is named once. */
const Problem = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "exitCode"],
  properties: {
    type: { type: "string", const: "about:blank" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What happened, to what, and what to do next" },
    code: { type: "string", description: "The name of the error, for example TaskNotFound" },
    exitCode: { type: "integer", description: "The exit code that the same command of beat would have had" }
  },
  additionalProperties: false
}

const problem = {
  description: "A problem (RFC 9457)",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } }
}

type Operations = (typeof paths)[string]

const withProblems = (operations: Operations) =>
  Object.fromEntries(
    Object.entries(operations).map(([method, operation]) => [
      method,
      {
        ...operation,
        responses: {
          ...Object.fromEntries(Object.entries(operation.responses).filter(([status]) => Number(status) < 400)),
          default: problem
        },
        security: [{ token: [] }]
      }
    ])
  )

export const openApi = {
  ...rest,
  info: { ...rest.info, version: __BACKBEAT_VERSION__ },
  security: [{ token: [] }],
  paths: Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [path, withProblems(operations)] as const)
  ),
  components: {
    schemas: {
      ...Object.fromEntries(Object.entries(components.schemas).filter(([name]) => !unused.includes(name))),
      Problem
    },
    securitySchemes: { token: { type: "http", scheme: "bearer" } }
  }
}
