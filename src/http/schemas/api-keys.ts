import { Type } from "typebox";

import { ROLES } from "../../registry/principal.ts";
import { closed, Id, PageQuery, Time, word } from "./common.ts";

export const ApiKey = Type.Object(
  {
    id: Id,
    role: word(ROLES),
    label: Type.String(),
    corporationId: Type.Optional(Id),
    relyingPartyId: Type.Optional(Id),
    createdAt: Time,
    revokedAt: Type.Optional(Time),
  },
  {
    $id: "ApiKey",
    description: "A program's key. Its secret was shown once, by the command that made it.",
  },
);
export const ApiKeyQuery = closed(PageQuery);
