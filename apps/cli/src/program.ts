import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { readLimit, readParallelism, readTimeout, readVariable } from "./arguments.ts";
import { type ListOptions, listCommand } from "./commands/list.ts";
import { logsCommand } from "./commands/logs.ts";
import { type RunOptions, runCommand } from "./commands/run.ts";
import { stopCommand } from "./commands/stop.ts";
import type { CommonOptions, Io } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";

const RUN_HELP = `
A file becomes the scenario that is named after it (load-test.js: load-test), or its next version.

Ctrl-C asks the server to stop the run and follows it to its end; once more, and the run
is left to the server.

Exit codes: 0 finished, 1 ended in error (or with a verdict other than passed), 2 usage,
3 server unreachable or refusing, 4 timeout, 130 Ctrl-C.

Examples:
  $ tailrace run load-test.js --parallelism 4
  $ tailrace run checkout --comment "release 4.2" -e TARGET=https://shop.example
  $ tailrace run smoke.js --timeout 10m --json > run.json`;

const PROGRAM_HELP = `
Environment:
  TAILRACE_URL      the server (default: http://127.0.0.1:4173)
  TAILRACE_TOKEN    the team's token, where the server asks for one
  TAILRACE_TEAM     the team (default: demo)
  NO_COLOR, FORCE_COLOR

Examples:
  $ tailrace run load-test.js --parallelism 4
  $ tailrace ls
  $ tailrace logs 4m1zk0w9r7h2c5xa > run.log`;

/** The command line. `end` gets the exit code of the command that ran. */
export function createProgram(io: Io, end: (code: ExitCode) => void): Command {
  const program = new Command("tailrace")
    .description("Runs k6 load tests on Kubernetes and shows what every container says.")
    .version(packageJson.version)
    .addHelpText("after", PROGRAM_HELP)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError("(--help shows what there is)")
    .exitOverride();

  program
    .command("run <script|scenario>")
    .description("start a run and follow all of its containers to the end")
    .option("-p, --parallelism <n>", "number of runners, 1 to 10 (default: the scenario's, else 1)", readParallelism)
    .option("-c, --comment <text>", "what the run is for")
    .option("-e, --env <name=value>", "a variable for the script; may be given again", readVariable)
    .option("--timeout <time>", "stop the run after this time, such as 90s or 10m", readTimeout)
    .option("--all", "show all that initializer and starter say")
    .option("-d, --detach", "start the run, print its id and do not follow it")
    .addHelpText("after", RUN_HELP)
    .action(async (target: string, options: RunOptions) => end(await runCommand(io, target, options)));

  program
    .command("logs <run>")
    .description("print the logs of a run's containers as they are stored now")
    .action(async (run: string, options: CommonOptions) => end(await logsCommand(io, run, options)));

  program
    .command("ls")
    .description("list the newest runs")
    .option("--scenario <id>", "only runs of this scenario")
    .option("-n, --limit <n>", "how many (default: 20)", readLimit)
    .action(async (options: ListOptions) => end(await listCommand(io, options)));

  program
    .command("stop <run>")
    .description("ask a run to stop")
    .action(async (run: string, options: CommonOptions) => end(await stopCommand(io, run, options)));

  for (const command of program.commands) addCommonOptions(command);
  return program;
}

/** The options that all commands have. */
function addCommonOptions(command: Command): void {
  command
    .option("-t, --team <id>", "the team (default: TAILRACE_TEAM, else demo)")
    .option("--url <origin>", "the server (default: TAILRACE_URL, else http://127.0.0.1:4173)")
    .option("--token <token>", "the team's token (default: TAILRACE_TOKEN)")
    .option("--json", "print JSON on stdout, everything else on stderr")
    .option("--no-color", "no colours");
}
