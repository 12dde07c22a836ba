/** Writes what is made from the contract: the OpenAPI document, its types and the client's table. A test fails when they differ from it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { compileContract } from "./contract-document.ts";
import { toContractTypes, toOperationTable } from "./contract-types.ts";

const document = compileContract();
const described = document as unknown as Parameters<typeof toContractTypes>[0];
const source = new URL("../src/", import.meta.url);
mkdirSync(new URL("client/", source), { recursive: true });
writeFileSync(new URL("api/contract/openapi.json", source), `${JSON.stringify(document, undefined, 2)}\n`);
writeFileSync(new URL("api/contract/types.ts", source), toContractTypes(described));
writeFileSync(new URL("client/operation-table.ts", source), toOperationTable(described));
