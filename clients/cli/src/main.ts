import process from 'node:process';
import { processContext } from './process-context.js';
import { runProgram } from './program.js';

// The client in a process of its own. bin/teu comes here when there is no resident process to run the
// command, and for the commands that start and end it.
const own = processContext(process.argv.slice(2), process.env);
const exitCode = await runProgram(own.context);
own.close();
// Standard input may still be waited for.
process.exit(exitCode);
