import { scenarioConfigSchema } from "@tailrace/core";
import { z } from "zod";
import { id, name, page, scenarioId, teamId } from "./common.ts";

const { script, parallelism, arguments: args, env, resources, image } = scenarioConfigSchema.shape;

export const scenariosCreate = z.strictObject({
  teamId,
  id: id("id").optional(),
  name,
  script,
  parallelism,
  arguments: args,
  env,
  resources,
  image,
});

export const scenariosGet = z.strictObject({ teamId, scenarioId });

export const scenariosList = z.strictObject({ teamId, ...page });

/** A field that is absent stays as it is; null removes an optional one. */
export const scenariosUpdate = z.strictObject({
  teamId,
  scenarioId,
  name: name.optional(),
  script: script.optional(),
  parallelism: parallelism.nullable(),
  arguments: args.nullable(),
  env: env.nullable(),
  resources: resources.nullable(),
  image: image.nullable(),
});

export const scenariosDelete = z.strictObject({ teamId, scenarioId });
