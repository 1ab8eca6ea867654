/** An agent whose workspace is mounted over the repository names the repository, and means its workspace. */
import type { Environment } from "../../domain/task/NewTask.ts"

/** The directory as a process outside of the mount finds it. */
export const realDirectory = (directory: string, environment: Environment): string => {
  const { BACKBEAT_WORKSPACE: workspace, BACKBEAT_WORKSPACE_HOME: home } = environment
  if (workspace === undefined || home === undefined || home === "") return directory
  if (directory === home) return workspace
  return directory.startsWith(`${home}/`) ? `${workspace}${directory.slice(home.length)}` : directory
}
