// Run one official C2PA asset rubric over one crJSON document.
//
//   node rubric.mjs RUBRIC.yml SPEC_VERSION < crjson.json
//
// Prints {passed: [ids], failed: [ids]}. A rubric is two YAML documents: variables and
// named expressions, then statements. An expression may call the named ones as
// functions, with their arguments in $args; each sees the whole document.
// failIfMatched and warnIfMatched turn a statement around: a match is the fault.

import { readFileSync } from "node:fs";
import JsonFormula, { dataTypes } from "@adobe/json-formula";
import { parseAllDocuments } from "yaml";

const [rubricPath, specVersion] = process.argv.slice(2);
const document = JSON.parse(readFileSync(0, "utf8"));
const [head, statements] = parseAllDocuments(readFileSync(rubricPath, "utf8")).map(
  (part) => part.toJS(),
);
const globals = { ...head.variables, $expected_spec_version: specVersion };

const functions = {};
for (const [name, expression] of Object.entries(head.expressions ?? {})) {
  functions[name] = {
    _func: (args) => evaluate(expression, { ...globals, $args: args }),
    _signature: [{ types: [dataTypes.TYPE_ANY], optional: true, variadic: true }],
  };
}

function evaluate(expression, names) {
  return new JsonFormula(functions).search(expression, document, names);
}

function isTrue(value) {
  if (value === null || value === undefined) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object") return Object.keys(value).length > 0;
  return Boolean(value);
}

const result = { passed: [], failed: [] };
for (const statement of statements) {
  const matched = isTrue(evaluate(statement.expression, globals));
  const inverted = statement.failIfMatched || statement.warnIfMatched;
  (matched === Boolean(inverted) ? result.failed : result.passed).push(statement.id);
}
console.log(JSON.stringify(result));
