import { createHash } from "node:crypto";

/** Something that relying parties fetch, ready to be sent. */
export interface Publication {
  readonly contentType: string;
  readonly body: Buffer;
  /** Strong: the hash of the bytes. */
  readonly etag: string;
  /** Whole seconds, in milliseconds since 1970. */
  readonly modifiedAt: number;
  /** nextUpdate of a list, in milliseconds since 1970; CA certificates have none. */
  readonly expiresAt?: number;
}

/** The media types of RFC 2585 §4, and what is used for files in PEM. */
export const MEDIA_TYPE = {
  crl: "application/pkix-crl",
  certificate: "application/pkix-cert",
  pem: "application/x-pem-file",
} as const;

/** Bytes with their media type and dates. */
export function publicationOf(
  bytes: Uint8Array,
  contentType: string,
  dates: { modifiedAt: Date; expiresAt?: Date },
): Publication {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const sum = createHash("sha256").update(body).digest("base64url");
  return {
    contentType,
    body,
    etag: `"${sum}"`,
    modifiedAt: Math.floor(dates.modifiedAt.getTime() / 1000) * 1000,
    ...(dates.expiresAt === undefined ? {} : { expiresAt: dates.expiresAt.getTime() }),
  };
}
