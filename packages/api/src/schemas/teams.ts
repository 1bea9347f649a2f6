import { z } from "zod";
import { id, name, page, teamId } from "./common.ts";

const role = z.enum(["viewer", "runner", "admin"], "role must be viewer, runner or admin");

export const teamsCreate = z.strictObject({ id: id("id").optional(), name });
export const teamsGet = z.strictObject({ teamId });
export const teamsList = z.strictObject(page).prefault({});
export const teamsCreateToken = z.strictObject({ teamId, role, name });
export const teamsListTokens = z.strictObject({ teamId });
export const teamsDeleteToken = z.strictObject({ teamId, tokenId: id("tokenId") });
