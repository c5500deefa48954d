import { ConflictError, StillInUseError } from "./errors.ts";
import { createOnce, type IdempotentRequest } from "./idempotency.ts";
import { listPage, type Page, type PageRequest } from "./page.ts";
import { changesOf } from "./patch.ts";
import type { Principal, Reference } from "./principal.ts";
import { found, lockRow, type RegistryDeps, type Work, withinTenantOf } from "./tenant.ts";
import { parseName } from "./text.ts";
import type { DeviceUse, Platform } from "./vocabulary.ts";

/** One machine of a pharmacy (端末). */
export interface Device {
  readonly id: string;
  readonly corporationId: string;
  readonly pharmacyId: string;
  /** Unique among the pharmacy's devices in service. */
  readonly name: string;
  readonly platform: Platform;
  readonly use: DeviceUse;
  /** Since when it gets no certificate any more. */
  readonly retiredAt?: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface DeviceInput {
  readonly pharmacyId: string;
  readonly name: string;
  readonly platform: Platform;
  /** `shared`, if absent. */
  readonly use?: DeviceUse;
}

export type DevicePatch = Partial<Pick<DeviceInput, "name" | "platform" | "use">>;

export interface DeviceQuery extends PageRequest {
  readonly corporationId?: string;
  readonly pharmacyId?: string;
}

export interface Devices {
  create(
    principal: Principal,
    input: DeviceInput,
    idempotency?: IdempotentRequest,
  ): Promise<Device>;
  get(principal: Principal, id: string): Promise<Device>;
  list(principal: Principal, query: DeviceQuery): Promise<Page<Device>>;
  /** Throws ConflictError for a retired one. */
  update(principal: Principal, id: string, patch: DevicePatch): Promise<Device>;
  /**
   * Deletes a device that never had a certificate, and retires any other, because its certificates name it for ever.
   * Throws StillInUseError while one of them is alive.
   */
  remove(principal: Principal, id: string): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly corporationId: string;
  readonly pharmacyId: string;
  readonly name: string;
  readonly platform: string;
  readonly use: string;
  readonly retiredAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** With a space and the month of expiry (`2027-12`) it is a common name: at most 64 (RFC 5280 appendix A, ub-common-name). */
const MAX_NAME = 50;

/** A device's name as people type it. Throws InvalidValueError. */
export function parseDeviceName(text: string, field: string): string {
  return parseName(text, field, MAX_NAME);
}

const TAKEN = {
  device_name_in_pharmacy: {
    field: "name",
    says: "another device of the pharmacy has this name already",
  },
};

/** Check constraints of the table hold platform and use. */
function deviceOf({ retiredAt, platform, use, ...rest }: Row): Device {
  return {
    ...rest,
    platform: platform as Platform,
    use: use as DeviceUse,
    ...(retiredAt === null ? {} : { retiredAt }),
  };
}

function self(id: string): Reference {
  return { kind: "device", id };
}

export function createDevices(deps: RegistryDeps): Devices {
  const within = withinTenantOf(deps, TAKEN);
  return {
    create: (principal, input, idempotency) =>
      within(principal, pharmacyOf(input), (work) =>
        createOnce<Device>(
          work.sql,
          { idempotency, now: work.now, dates: ["createdAt", "updatedAt"] },
          () => create(work, deps.newId(), input),
        ),
      ),
    get: (principal, id) =>
      within(principal, self(id), async ({ tx }) =>
        deviceOf(found(await tx.device.findUnique({ where: { id } }), "device")),
      ),
    list: (principal, query) => list(deps, principal, query),
    update: (principal, id, patch) =>
      within(principal, self(id), (work) => update(work, id, patch)),
    remove: (principal, id) => within(principal, self(id), (work) => remove(work, id)),
  };
}

function list(
  { store }: RegistryDeps,
  principal: Principal,
  { corporationId, pharmacyId, ...page }: DeviceQuery,
): Promise<Page<Device>> {
  const references: Reference[] = [];
  if (corporationId !== undefined) references.push({ kind: "corporation", id: corporationId });
  if (pharmacyId !== undefined) references.push({ kind: "pharmacy", id: pharmacyId });
  return listPage(store, principal, {
    collection: "devices",
    page,
    references,
    within: async (tx, { after, size }) => {
      const where = {
        ...(after === null ? {} : { id: { gt: after } }),
        ...(pharmacyId === undefined ? {} : { pharmacyId }),
      };
      return (await tx.device.findMany({ where, orderBy: { id: "asc" }, take: size })).map(
        deviceOf,
      );
    },
    across: async (sql, { after, size }) => {
      const rows = await sql.query<Row>(
        `select id, corporation_id as "corporationId", pharmacy_id as "pharmacyId", name, platform, use,
           retired_at as "retiredAt", created_at as "createdAt", updated_at as "updatedAt"
         from app.staff_devices($1::uuid, $2::integer)`,
        [after, size],
      );
      return rows.map(deviceOf);
    },
  });
}

function pharmacyOf({ pharmacyId }: DeviceInput): Reference {
  return { kind: "pharmacy", id: pharmacyId, field: "pharmacyId" };
}

async function create(
  { tx, sql, corporationId, now, record }: Work,
  id: string,
  input: DeviceInput,
): Promise<Device> {
  const pharmacyId = await lockRow(sql, pharmacyOf(input), "keep");
  const { platform, use = "shared" } = input;
  const name = parseDeviceName(input.name, "name");
  const device = await tx.device.create({
    data: { id, corporationId, pharmacyId, name, platform, use, createdAt: now, updatedAt: now },
  });
  await record("device.created", `device/${id}`, { pharmacyId, platform, use });
  return deviceOf(device);
}

async function update(
  { tx, sql, now, record }: Work,
  deviceId: string,
  patch: DevicePatch,
): Promise<Device> {
  const id = await lockRow(sql, self(deviceId), "change");
  const current = await tx.device.findUniqueOrThrow({ where: { id } });
  if (current.retiredAt !== null)
    throw new ConflictError("the device is retired, which does not end: create another", "id");
  const { data, fields } = changesOf<Pick<Row, "name" | "platform" | "use">>(current, {
    name: patch.name === undefined ? undefined : parseDeviceName(patch.name, "name"),
    platform: patch.platform,
    use: patch.use,
  });
  if (fields.length === 0) return deviceOf(current);
  const changed = await tx.device.update({ where: { id }, data: { ...data, updatedAt: now } });
  await record("device.updated", `device/${id}`, { changed: fields });
  return deviceOf(changed);
}

/** Retiring twice is retiring once. The lock keeps certificates from being asked for meanwhile: a binding refers to the row. */
async function remove({ tx, sql, now, record }: Work, deviceId: string): Promise<void> {
  const id = await lockRow(sql, self(deviceId), "change");
  const { retiredAt, pharmacyId } = await tx.device.findUniqueOrThrow({ where: { id } });
  if (retiredAt !== null) return;
  const [certificates] = await sql.query<{ ever: boolean; alive: boolean }>(
    `select count(*) > 0 as ever,
       coalesce(bool_or(b.bound_to is null and i.state in ('reserved', 'good', 'hold') and i.not_after > $2::timestamptz), false) as alive
     from app.binding b join ca.issued i on i.serial = b.serial where b.device_id = $1::uuid`,
    [id, now.toISOString()],
  );
  if (certificates?.alive === true)
    throw new StillInUseError("device", "revoke its certificates first");
  const ever = certificates?.ever === true;
  if (ever) await tx.device.update({ where: { id }, data: { retiredAt: now, updatedAt: now } });
  else await tx.device.delete({ where: { id } });
  await record(ever ? "device.retired" : "device.deleted", `device/${id}`, { pharmacyId });
}
