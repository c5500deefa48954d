/**
 * Whether somebody of its pharmacy has stopped a device and what was stopped may go on again, in SQL; `device` and `at` are
 * expressions. What staff have revoked since stops nobody: a machine that was lost is replaced.
 */
export const heldOf = (device: string, at: string): string =>
  `exists (select from app.device_hold h join ca.issued i on i.serial = any (h.serials)
    where h.device_id = ${device} and h.released_at is null and i.state in ('reserved', 'good', 'hold') and i.not_after > ${at})`;
