import { defineConfig } from "prisma/config";

/** Only for `prisma generate`. Migrations are run by src/storage/migrate.ts, so no database is named here. */
export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
});
