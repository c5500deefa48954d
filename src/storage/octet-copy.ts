import pg from "pg";

/** What a statement that is copied out takes. */
export type CopyValue = string | bigint | Date;

/** PGCOPY with its newline and mark, no flags, no extension (PostgreSQL, COPY, "Binary Format"). */
const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
const HEADER_OCTETS = SIGNATURE.length + 8;

/** The columns of a row, each a copy: the parser uses its buffer again. Undefined for the end of the data. */
function rowIn(data: Buffer, from: number): readonly Buffer[] | undefined {
  const count = data.readInt16BE(from);
  if (count < 0) return undefined;
  const columns: Buffer[] = [];
  let at = from + 2;
  for (let i = 0; i < count; i++) {
    const length = data.readInt32BE(at);
    if (length < 0) throw new Error("a column that is copied out is null");
    columns.push(Buffer.from(data.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return columns;
}

function literal(value: CopyValue): string {
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  return pg.escapeLiteral(String(value));
}

type Done = (error: Error | null, rows: readonly (readonly Buffer[])[]) => void;

/**
 * A statement whose columns come as octets, in the binary form of their types. Everything else that pg reads comes as text,
 * a bytea in hex: of tens of megabytes that is most of what reading them costs. COPY takes no parameters, so the values are
 * written into the statement as literals.
 */
export class OctetCopy implements pg.Submittable {
  /** Called once. By this very name: pg puts another in its place, which also ends the timer that it has set for the answer. */
  callback: Done;
  readonly #statement: string;
  readonly #rows: (readonly Buffer[])[] = [];
  #isFirst = true;

  constructor(text: string, values: readonly CopyValue[], done: Done) {
    const select = text.replaceAll(/\$(\d+)/g, (_, place: string) => {
      const value = values[Number(place) - 1];
      if (value === undefined) throw new RangeError(`there is no value for $${place}`);
      return literal(value);
    });
    this.#statement = `copy (${select}) to stdout (format binary)`;
    this.callback = done;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#statement);
  }

  /** One message a row; the first one has the header before it. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    const isFirst = this.#isFirst && chunk.subarray(0, SIGNATURE.length).equals(SIGNATURE);
    this.#isFirst = false;
    const from = isFirst ? HEADER_OCTETS : 0;
    if (from === chunk.length) return;
    const row = rowIn(chunk, from);
    if (row !== undefined) this.#rows.push(row);
  }

  handleCommandComplete(): void {
    // The answer is whole when the server is ready for the next one.
  }

  handleReadyForQuery(): void {
    this.callback(null, this.#rows);
  }

  handleError(error: Error): void {
    this.callback(error, []);
  }
}
