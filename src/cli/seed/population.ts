import type { DeviceUse, MembershipRole, Platform } from "../../registry/vocabulary.ts";

/** A device, and who of its pharmacy's people answers for it: the place in `people`. */
export interface DevicePlan {
  readonly name: string;
  readonly platform: Platform;
  readonly use: DeviceUse;
  readonly responsible: number;
}

export interface PersonPlan {
  readonly name: string;
  readonly role: MembershipRole;
  readonly email?: string;
}

export interface PharmacyPlan {
  readonly name: string;
  readonly people: readonly PersonPlan[];
  readonly devices: readonly DevicePlan[];
}

export interface CorporationPlan {
  readonly name: string;
  readonly pharmacies: readonly PharmacyPlan[];
}

/** Few corporations are large: of ten, six have one to three pharmacies. */
const MOST_PHARMACIES = 200;
const TAIL = 1.2;

/** How many devices a pharmacy has; four on average. */
const DEVICES = [1, 2, 3, 3, 4, 4, 4, 5, 5, 6, 7] as const;

const DEVICE_KINDS: readonly Omit<DevicePlan, "responsible">[] = [
  { name: "受付", platform: "windows", use: "shared" },
  { name: "調剤室", platform: "windows", use: "shared" },
  { name: "投薬カウンター", platform: "ipados", use: "shared" },
  { name: "事務室", platform: "windows", use: "shared" },
  { name: "在宅", platform: "ios", use: "personal" },
  { name: "服薬指導", platform: "macos", use: "shared" },
  { name: "配送", platform: "android", use: "personal" },
];

const FAMILY_NAMES = [
  "薬師",
  "水野",
  "佐藤",
  "鈴木",
  "高橋",
  "田中",
  "伊藤",
  "渡辺",
  "中村",
  "小林",
];
const GIVEN_NAMES = ["太郎", "花子", "一郎", "恵", "健", "由美", "誠", "直子", "翔", "葵"];
const TOWNS = ["本町", "駅前", "中央", "緑町", "桜台", "栄町", "港", "朝日", "若葉", "泉"];
const BRANDS = ["みずき", "さくら", "あおば", "ひまわり", "すずらん", "つばき", "もみじ", "かえで"];

/** A number from 0 to 1 that looks random and is the same for the same `n`: equal seeds are equal in shape. */
function scatter(n: number): number {
  // The finalizer of MurmurHash3: every bit of n reaches every bit of the result.
  let h = Math.imul(n ^ (n >>> 16), 0x85_eb_ca_6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2_b2_ae_35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

const pick = <T>(from: readonly T[], n: number): T => {
  const one = from[Math.floor(scatter(n) * from.length)];
  if (one === undefined) throw new Error("there is nothing to pick from");
  return one;
};

const personName = (n: number): string =>
  `${pick(FAMILY_NAMES, n)} ${pick(GIVEN_NAMES, n + 0x10_00_00_00)}`;

function pharmacyOf(n: number, devices: number): PharmacyPlan {
  const people: PersonPlan[] = [
    { name: personName(2 * n), role: "manager", email: `pharmacy-${n}@yakkyoku.example` },
  ];
  if (devices > 2) people.push({ name: personName(2 * n + 1), role: "pharmacist" });
  return {
    name: `${pick(TOWNS, n)}${n}号店`,
    people,
    devices: DEVICE_KINDS.slice(0, devices).map(({ name, platform, use }) => ({
      name: `${name}1号機`,
      platform,
      use,
      responsible: use === "personal" ? people.length - 1 : 0,
    })),
  };
}

/**
 * Made-up corporations in the proportions of real ones, with so many devices in all.
 *
 * @yields each corporation; the last one has as many devices as were left
 */
export function* population(devices: number): Generator<CorporationPlan> {
  let left = devices;
  let pharmacyNumber = 0;
  for (let number = 1; left > 0; number++) {
    const size = Math.min(MOST_PHARMACIES, Math.floor((1 - scatter(number)) ** -TAIL));
    const pharmacies: PharmacyPlan[] = [];
    while (pharmacies.length < size && left > 0) {
      pharmacyNumber++;
      const count = Math.min(left, pick(DEVICES, pharmacyNumber + 0x20_00_00_00));
      pharmacies.push(pharmacyOf(pharmacyNumber, count));
      left -= count;
    }
    yield { name: `${pick(BRANDS, number)}薬局グループ ${number}`, pharmacies };
  }
}

/** Whether the `n`th of `all` is one of the `few`, spread evenly over them. */
export const isOneOf = (n: number, few: number, all: number): boolean =>
  Math.floor(((n + 1) * few) / all) > Math.floor((n * few) / all);
