import { type K6TestRunConfig, type ScenarioConfig, validateK6TestRunConfig } from "@tailrace/core";
import type { ApiLimits } from "../../context.ts";
import { invalidInput } from "../../errors/problem.ts";

/**
 * What a run executes: the scenario with the run's own parallelism, arguments and environment. Environment variables
 * merge by name, every other field replaces the scenario's. The whole is checked again, because its parts can be valid
 * alone and too much together.
 *
 * @throws TailraceError BAD_REQUEST
 */
export function effectiveConfig(
  name: string,
  scenario: ScenarioConfig,
  own: Pick<ScenarioConfig, "parallelism" | "arguments" | "env">,
  { allowedImages }: Pick<ApiLimits, "allowedImages">,
): K6TestRunConfig {
  const env = scenario.env === undefined && own.env === undefined ? undefined : { ...scenario.env, ...own.env };
  const validation = validateK6TestRunConfig(
    {
      ...scenario,
      name,
      parallelism: own.parallelism ?? scenario.parallelism,
      arguments: own.arguments ?? scenario.arguments,
      env,
    },
    { allowedImages },
  );
  if (!validation.ok) throw invalidInput(validation.issues);
  return validation.config;
}
