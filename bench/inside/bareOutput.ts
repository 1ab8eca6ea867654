/** The floor of storing output: megabytes inserted as durably by plain statements, one transaction each. */
import BetterSqlite3 from "better-sqlite3"

const [size = 100] = process.argv.slice(2).map(Number)

const database = new BetterSqlite3("bare.db")
database.pragma("journal_mode = WAL")
database.pragma("synchronous = FULL")
database.exec("CREATE TABLE output (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
const insert = database.prepare("INSERT INTO output (bytes) VALUES (?)")
const chunk = Buffer.alloc(1_000_000, "The quick brown fox jumps over the lazy dog. ")

const began = performance.now()
for (let count = 0; count < size; count++) insert.run(chunk)
process.stdout.write(String((size * 1000) / (performance.now() - began)))
database.close()
