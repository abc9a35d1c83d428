#!/usr/bin/env bash
# What CI does with stacks, the same in any CI system. The workflow in .github/workflows/stacks.yml calls only this.
#
#   tools/ci/stack.sh preview STACK...  for a pull request: writes .state/preview.md; fails when a preview fails or a
#                                       mandatory policy is not kept (1), or when what holds data would go (2)
#   tools/ci/stack.sh deploy STACK      for a merge: the same preview, then `pulumi up`, then a preview that finds nothing
#   tools/ci/stack.sh drift STACK...    on a schedule: compares with the real state; 3 when something differs
#
# Needs node, make and pulumi, stacks that were made once (`pulumi stack init STACK`), credentials of the cloud and of
# Pulumi's backend in the environment (PULUMI_ACCESS_TOKEN, or PULUMI_BACKEND_URL and PULUMI_CONFIG_PASSPHRASE), and a
# network from which the cluster's API is reached. Optional variables:
#   ALLOW_DATA_LOSS=STACK   deploy goes on although what holds data would go (after a review by people)
#   PULL_REQUEST=NUMBER     preview also comments on that pull request, by `gh`
#   GITHUB_STEP_SUMMARY     file to which previews are appended (GitHub sets it)
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  sed -n '2,/^set /p' "$0" | sed -e '$d' -e 's/^# \{0,1\}//' >&2
  exit 64
}

[ $# -ge 2 ] || usage
readonly action=$1 file=.state/preview.md
shift

with_tools() {
  local stack=$1
  shift
  node --require tsx/cjs local/cli.ts exec --stack "$stack" -- "$@"
}

# Previews stacks into $file and wherever else it is wanted; the exit code is the highest of theirs.
preview() {
  local flags=$1 worst=0 code stack
  shift
  mkdir -p .state
  : >"$file"
  for stack in "$@"; do
    code=0
    # Not `make preview`: make ends with 2 whatever went wrong. The flags are words of this script.
    # shellcheck disable=SC2086
    with_tools "$stack" node --require tsx/cjs tools/cli.ts preview "$stack" --markdown $flags >>"$file" || code=$?
    echo >>"$file"
    if [ "$code" -gt "$worst" ]; then worst=$code; fi
  done
  cat "$file"
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$file" >>"$GITHUB_STEP_SUMMARY"; fi
  if [ -n "${PULL_REQUEST:-}" ]; then
    gh pr comment "$PULL_REQUEST" --edit-last --create-if-none --body-file "$file"
  fi
  return "$worst"
}

make --silent node_modules/.installed

case $action in
preview)
  preview "" "$@"
  ;;
deploy)
  [ $# -eq 1 ] || usage
  code=0
  preview "" "$1" || code=$?
  if [ "$code" -eq 2 ] && [ "${ALLOW_DATA_LOSS:-}" = "$1" ]; then
    echo "going on, because ALLOW_DATA_LOSS names $1" >&2
  elif [ "$code" -ne 0 ]; then
    exit "$code"
  fi
  # With the engine's own preview: it refuses to delete what is protected before anything else is deleted.
  with_tools "$1" pulumi up --stack "$1" --yes --non-interactive
  preview --expect-no-changes "$1"
  ;;
drift)
  preview "--refresh --expect-no-changes" "$@"
  ;;
*)
  usage
  ;;
esac
