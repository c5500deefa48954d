import { Type } from "typebox";

import { RENEWAL_REASONS } from "../../lifecycle/renewal-times.ts";
import { closed, SerialNumber, Time, word } from "./common.ts";

/** When a device is asked to renew, as it stands beside what else is told of its certificate. */
export const renewalTime = {
  renewFrom: Type.Optional(
    Type.Unsafe<Date>({
      ...Time,
      description:
        "From when the device is asked to renew: the beginning of a quiet day, spread over the pharmacy's devices. Where one certificate is asked for; not of a revoked one.",
    }),
  ),
  renewReason: Type.Optional(
    word(RENEWAL_REASONS, { description: "Where somebody wants it earlier than its own day." }),
  ),
};

export const RenewalOrder = closed({ reason: word(RENEWAL_REASONS) });

export const RenewalTime = Type.Object(
  { serialNumber: SerialNumber, renewFrom: Time, renewReason: renewalTime.renewReason },
  { $id: "RenewalTime", description: "From when a device is asked to renew its certificate." },
);

/** What the script of a machine is told of the certificate that it has shown. */
export const RenewalAnswer = Type.Object({
  isDue: Type.Boolean(),
  renewFrom: Time,
  secret: Type.Optional(Type.String()),
  replacedBy: Type.Optional(SerialNumber),
});

export const BannerQuery = closed({
  format: Type.Optional(word(["html"], { description: "The same as Accept: text/html." })),
  lang: Type.Optional(word(["ja", "en"], { description: "Of the fragment; Japanese by default." })),
});

export const RenewalBanner = Type.Object(
  {
    due: Type.Boolean({ description: "Whether to show it." }),
    state: Type.Optional(
      word(["renew", "replaced"], {
        description:
          "Where due. renew: it is good, its time to renew has come, and no proven one after it. replaced: the device has shown this one although a proven one has taken its place.",
      }),
    ),
    daysLeft: Type.Integer({ description: "Whole days to the end; 0 afterwards." }),
    successor: Type.Optional(
      Type.Object(
        { serialNumber: SerialNumber, notAfter: Time, daysLeft: Type.Integer() },
        { description: "The one that the device is to show instead, where replaced." },
      ),
    ),
    text: Type.Optional(Type.Object({ ja: Type.String(), en: Type.String() })),
    link: Type.Optional(
      Type.String({
        format: "uri",
        description: "Where the device renews, and its person sees what to do.",
      }),
    ),
  },
  {
    $id: "RenewalBanner",
    description: "What a product shows on its own page. text and link where due.",
  },
);
