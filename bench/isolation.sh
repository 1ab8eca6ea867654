#!/bin/sh
# Prints what commands of an agent do to your repository, from a git worktree and from a workspace of Backbeat.
# It works in a directory of its own, which it removes: nothing of yours is touched.
set -eu

top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
BACKBEAT_HOME=$top/backbeat
GIT_CONFIG_GLOBAL=/dev/null
GIT_CONFIG_NOSYSTEM=1
yours=$top/yours
export BACKBEAT_HOME GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM yours

# A repository with a stash, a second branch and a commit that only its number names.
make() {
  git init --quiet --initial-branch=main "$yours"
  cd "$yours"
  git config user.name You
  git config user.email you@example.com
  echo one > file
  git add file
  git commit --quiet -m start
  git branch other
  echo two > file
  git stash --quiet
  lost=$(git commit-tree -m 'noted down' 'HEAD^{tree}')
  cd "$top"
}

# All that an agent could have changed. Nothing below .git/worktrees and refs/backbeat counts.
state() {
  git -C "$yours" status --porcelain 2>&1 || true
  git -C "$yours" stash list 2>&1 || true
  git -C "$yours" for-each-ref refs/heads refs/stash 2>&1 || true
  git config --file "$yours/.git/config" --list
  git --git-dir="$yours/.git" cat-file -e "$lost" 2>/dev/null || echo "commit pruned"
}

told() { if [ "$before" = "$(state)" ]; then echo untouched; else echo changed; fi; }

echo "| command of the agent | your repository, after a worktree | after a workspace |"
echo "| --- | --- | --- |"
while IFS= read -r command; do
  make
  before=$(state)
  git -C "$yours" worktree add --quiet --detach "$top/worktree"
  (cd "$top/worktree" && sh -c "$command") < /dev/null > /dev/null 2>&1 || true
  worktree=$(told)
  rm -rf "$yours" "$top/worktree"

  make
  before=$(state)
  (cd "$yours" && beat run -f --isolate --agent shell -- "$command") < /dev/null > /dev/null 2>&1 || true
  workspace=$(told)
  rm -rf "$yours"
  echo "| \`$command\` | $worktree | $workspace |"
done <<'COMMANDS'
git stash pop
git config user.email agent@example.com
git update-ref refs/heads/main $(git commit-tree -m x HEAD^{tree})
git branch -D other
GIT_DIR=$(git rev-parse --git-common-dir) git init --bare
git reflog expire --expire=now --all; git gc --prune=now
echo x > "$yours/file"
COMMANDS
