import { Type } from "typebox";

import { REFUSAL_REASONS } from "../../pki/refusal-reason.ts";
import { STAGES } from "../../va/stage.ts";
import { Id, SerialNumber, Time, word } from "./common.ts";

const REASONS = ["no-certificate", ...REFUSAL_REASONS] as const;

export const AuthorizeHeaders = Type.Object({
  "suido-pharmacy": Type.Optional(
    Type.String({
      description:
        "The pharmacy that the request is about, where no certificate tells it: which stage counts hangs on it.",
      example: "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10",
    }),
  ),
});

export const AuthorizeQuery = Type.Object({
  refusals: Type.Optional(
    word(["page"], {
      description:
        "What a refusal carries, with the same status and header fields: page is the help page itself, in HTML, for proxies that hand it on to the client as it is (Traefik).",
    }),
  ),
});

export const Authorization = Type.Object(
  {
    decision: word(["allow"], { description: "What the proxy does; refusals are 401 and 403." }),
    stage: word(STAGES, {
      description: "How strictly the party's product demands certificates at this pharmacy today.",
    }),
    deviceId: Type.Optional(Id),
    accountId: Type.Optional(Id),
    pharmacyId: Type.Optional(Id),
    corporationId: Type.Optional(Id),
    serialNumber: Type.Optional(SerialNumber),
    notAfter: Type.Optional(Time),
    daysLeft: Type.Optional(Type.Integer({ description: "Whole days to notAfter." })),
    emergency: Type.Optional(
      Type.Boolean({
        description:
          "Whether the certificate is an emergency's: of a machine that stands in for another for 24 hours, and of nobody's inventory. Absent of all others.",
      }),
    ),
    wouldRefuse: Type.Optional(
      Type.Object(
        {
          reason: word(REASONS),
          serialNumber: Type.Optional(SerialNumber),
          deviceId: Type.Optional(Id),
          pharmacyId: Type.Optional(Id),
        },
        {
          description:
            "Nobody is identified; under enforce this would be a refusal. What a certificate that does not count is about stands here, and only here.",
        },
      ),
    ),
    banner: Type.Optional(
      Type.Object(
        { ja: Type.String(), en: Type.String() },
        { description: "Under warn: what the product should show." },
      ),
    ),
    installUrl: Type.Optional(
      Type.String({ description: "Under warn: where the person learns how to get a certificate." }),
    ),
  },
  { $id: "Authorization", description: "May this request pass, and who is behind it." },
);
