import { type ScenarioConfig, fieldIssues, imageProblem, scenarioConfigSchema } from "@tailrace/core";
import type { ApiLimits } from "../../context.ts";
import { invalidInput } from "../../errors/problem.ts";

/**
 * The rules of a scenario as a whole, also for one that is put together from stored and given fields.
 *
 * @throws TailraceError BAD_REQUEST
 */
export function checkScenarioConfig(
  config: unknown,
  { allowedImages }: Pick<ApiLimits, "allowedImages">,
): ScenarioConfig {
  const parsed = scenarioConfigSchema.safeParse(config);
  if (!parsed.success) throw invalidInput(fieldIssues(parsed.error));
  const { image } = parsed.data;
  const problem = image === undefined ? null : imageProblem(image, allowedImages);
  if (problem !== null) throw invalidInput([{ path: "image", message: problem }]);
  return parsed.data;
}
