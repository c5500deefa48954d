import { Type } from "typebox";

import { DEVICE_USES, LOCALES, MEMBERSHIP_ROLES, PLATFORMS } from "../../registry/vocabulary.ts";
import {
  closed,
  GivenTime,
  GivenTimeOrNull,
  Id,
  line,
  listOf,
  lineOrNull,
  PageQuery,
  Time,
  word,
} from "./common.ts";

const stamps = { createdAt: Time, updatedAt: Time };
const name = line(200, { example: "株式会社みずき薬局" });
const code = {
  maxLength: 64,
  description: "The pharmacy's number in the corporation's own system.",
};

// Corporations

export const Corporation = Type.Object(
  { id: Id, name: Type.String(), ...stamps },
  {
    $id: "Corporation",
    description: "A corporation (法人), which runs pharmacies. It is the tenant.",
  },
);
export const NewCorporation = closed({ name });
export const CorporationChange = closed({ name: Type.Optional(name) }, { minProperties: 1 });
export const CorporationQuery = closed(PageQuery);

// Pharmacies

export const Pharmacy = Type.Object(
  {
    id: Id,
    corporationId: Id,
    name: Type.String(),
    code: Type.Optional(Type.String()),
    ...stamps,
  },
  { $id: "Pharmacy", description: "A pharmacy (薬局)." },
);
export const NewPharmacy = closed({
  corporationId: Id,
  name: line(200, { example: "みずき薬局 本店" }),
  code: Type.Optional(line(64, code)),
});
export const PharmacyChange = closed(
  { name: Type.Optional(name), code: Type.Optional(lineOrNull(64, code)) },
  { minProperties: 1 },
);
export const PharmacyQuery = closed({ ...PageQuery, corporationId: Type.Optional(Id) });

// Accounts

const email = {
  format: "email",
  description: "One plain address. Several accounts of a shop may share it: emailShared.",
  example: "taro@mizuki.example.jp",
};
const Identity = closed(
  {
    issuer: line(512, { example: "https://id.example.jp" }),
    subject: line(255, { example: "248289761001" }),
  },
  { description: "How an OpenID provider knows the person." },
);
const ExternalId = closed(
  { system: line(64, { example: "musubi" }), value: line(255, { example: "u-4711" }) },
  { description: "How another system knows the person." },
);
const identities = listOf(Identity, { maxItems: 20 });
const externalIds = listOf(ExternalId, { maxItems: 20 });

export const Account = Type.Object(
  {
    id: Id,
    corporationId: Id,
    name: Type.String(),
    email: Type.Optional(Type.String()),
    emailShared: Type.Boolean(),
    locale: word(LOCALES),
    identities: listOf(Type.Object({ issuer: Type.String(), subject: Type.String() })),
    externalIds: listOf(Type.Object({ system: Type.String(), value: Type.String() })),
    disabled: Type.Boolean(),
    ...stamps,
  },
  { $id: "Account", description: "A person." },
);
export const NewAccount = closed({
  corporationId: Id,
  name: line(200, { example: "薬師 太郎" }),
  email: Type.Optional(line(254, email)),
  emailShared: Type.Optional(Type.Boolean()),
  locale: Type.Optional(word(LOCALES)),
  identities: Type.Optional(identities),
  externalIds: Type.Optional(externalIds),
});
export const AccountChange = closed(
  {
    name: Type.Optional(name),
    email: Type.Optional(lineOrNull(254, email)),
    emailShared: Type.Optional(Type.Boolean()),
    locale: Type.Optional(word(LOCALES)),
    identities: Type.Optional(identities),
    externalIds: Type.Optional(externalIds),
    disabled: Type.Optional(Type.Boolean()),
  },
  { minProperties: 1 },
);
export const AccountQuery = closed({
  ...PageQuery,
  corporationId: Type.Optional(Id),
  email: Type.Optional(line(254, email)),
});

// Memberships

export const Membership = Type.Object(
  {
    id: Id,
    corporationId: Id,
    accountId: Id,
    pharmacyId: Id,
    role: word(MEMBERSHIP_ROLES),
    deputy: Type.Boolean({
      description:
        "Named to do in an emergency what the manager does: a certificate of 24 hours for a machine that stands in for another.",
    }),
    from: Time,
    to: Type.Optional(Time),
    ...stamps,
  },
  { $id: "Membership", description: "Ties an account to a pharmacy, from a time to a time." },
);
export const NewMembership = closed({
  accountId: Id,
  pharmacyId: Id,
  role: word(MEMBERSHIP_ROLES),
  deputy: Type.Optional(Type.Boolean()),
  from: Type.Optional(GivenTime),
  to: Type.Optional(GivenTime),
});
export const MembershipChange = closed(
  {
    role: Type.Optional(word(MEMBERSHIP_ROLES)),
    deputy: Type.Optional(Type.Boolean()),
    to: Type.Optional(GivenTimeOrNull),
  },
  { minProperties: 1 },
);
export const MembershipQuery = closed({
  ...PageQuery,
  corporationId: Type.Optional(Id),
  accountId: Type.Optional(Id),
  pharmacyId: Type.Optional(Id),
});

// Devices

const deviceName = line(50, {
  description: "What people call it. It stands in the certificate's common name.",
  example: "受付1号機",
});

export const Device = Type.Object(
  {
    id: Id,
    corporationId: Id,
    pharmacyId: Id,
    name: Type.String(),
    platform: word(PLATFORMS),
    use: word(DEVICE_USES),
    retiredAt: Type.Optional(Time),
    ...stamps,
  },
  { $id: "Device", description: "One machine of a pharmacy (端末)." },
);
export const NewDevice = closed({
  pharmacyId: Id,
  name: deviceName,
  platform: word(PLATFORMS),
  use: Type.Optional(word(DEVICE_USES)),
});
export const DeviceChange = closed(
  {
    name: Type.Optional(deviceName),
    platform: Type.Optional(word(PLATFORMS)),
    use: Type.Optional(word(DEVICE_USES)),
  },
  { minProperties: 1 },
);
export const DeviceQuery = closed({
  ...PageQuery,
  corporationId: Type.Optional(Id),
  pharmacyId: Type.Optional(Id),
});
