// Reads simulations as a JSON array on standard input, and writes what IAM decides of each.

import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'
import { json } from 'node:stream/consumers'

const verdicts = []
for (const { unlisted, ...given } of await json(process.stdin)) {
  const simulation = { identityPolicies: [], serviceControlPolicies: [], resourceControlPolicies: [], ...given }
  if (unlisted) {
    verdicts.push({ verdict: runUnsafeSimulation(simulation, {}) })
    continue
  }
  const outcome = await runSimulation(simulation, {})
  // A key that IAM does not know for the action would be left out without a word, and a denial would prove nothing.
  const ignored = outcome.result?.ignoredContextKeys ?? []
  verdicts.push(
    outcome.resultType === 'error'
      ? { error: outcome.errors }
      : ignored.length > 0
        ? { error: { message: `no context keys of this action: ${ignored}` } }
        : { verdict: outcome.overallResult },
  )
}
process.stdout.write(JSON.stringify(verdicts))
