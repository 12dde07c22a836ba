/** Writes config/default.yaml and config/schema.json from the schema. A test fails when they differ from it. */
import { writeFileSync } from "node:fs";
import { defaultYaml } from "../src/config/default-yaml.ts";
import { configJsonSchema } from "../src/config/json-schema.ts";

const directory = new URL("../config/", import.meta.url);
writeFileSync(new URL("default.yaml", directory), defaultYaml());
writeFileSync(new URL("schema.json", directory), `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
