import { z } from "zod";
import { id, name, page, teamId } from "./common.ts";
import { integer } from "./list.ts";

const role = z.enum(["viewer", "runner", "admin"], "role must be viewer, runner or admin");

export const teamsCreate = z.strictObject({ id: id("id").optional(), name });
export const teamsGet = z.strictObject({ teamId });
export const teamsList = z.strictObject(page).prefault({});

/** A field that is absent stays as it is. */
export const teamsUpdate = z.strictObject({
  teamId,
  name: name.optional(),
  logRetentionDays: integer("logRetentionDays", 1, 3650).nullable().optional(),
});

export const teamsCreateToken = z.strictObject({ teamId, role, name });
export const teamsListTokens = z.strictObject({ teamId });
export const teamsDeleteToken = z.strictObject({ teamId, tokenId: id("tokenId") });
