import { describe, expect, it } from "vitest";
import { connectionConfig } from "../../../src/storage/connection.ts";

const config = (url: string) =>
  connectionConfig({ url, role: "suido_va", applicationName: "test" });

describe("what stands in the URL", () => {
  it.for([
    {
      url: "postgres://u:p@h/d",
      bare: "postgres://u:p@h/d",
      options: "-c role=suido_va -c timezone=UTC",
    },
    {
      url: "postgres://u:p@h/d?sslmode=require",
      bare: "postgres://u:p@h/d?sslmode=require",
      options: "-c role=suido_va -c timezone=UTC",
    },
    {
      url: "postgres://u:p@/d?host=/run/postgresql&options=-c%20work_mem%3D5MB",
      bare: "postgres://u:p@/d?host=%2Frun%2Fpostgresql",
      options: "-c work_mem=5MB -c role=suido_va -c timezone=UTC",
    },
    {
      url: "postgres://u:p@h/d?options=-c%20role%3Dsuido_owner",
      bare: "postgres://u:p@h/d",
      options: "-c role=suido_owner -c role=suido_va -c timezone=UTC",
    },
    {
      url: "postgres://u:p@h/d?application_name=x&statement_timeout=0",
      bare: "postgres://u:p@h/d",
      options: "-c role=suido_va -c timezone=UTC",
    },
  ])("$url", ({ url, bare, options }) => {
    expect(config(url)).toMatchObject({
      connectionString: bare,
      options,
      application_name: "test",
    });
  });
});

it("nothing waits for ever", () => {
  expect(config("postgres://u@h/d")).toMatchObject({
    connectionTimeoutMillis: 3_000,
    statement_timeout: 30_000,
    query_timeout: 31_000,
    idle_in_transaction_session_timeout: 15_000,
    keepAlive: true,
  });
});

it("whoever has somebody waiting gives up sooner", () => {
  const app = connectionConfig({
    url: "postgres://u@h/d",
    role: "suido_app",
    applicationName: "test",
  });
  expect(app).toMatchObject({ statement_timeout: 4_000, query_timeout: 5_000 });
});
