import { EngineServiceService, ReadLogsRequest, type Container } from '@teu/proto/engine';
import { reportExit } from '../attachment/exit-report.js';
import { writeRecord } from '../attachment/output-records.js';
import type { Context } from '../context.js';
import { waitTimeoutMs } from './timeouts.js';

/**
 * Shows what a container printed since a time, until it ends, and passes signals on to it.
 * @returns its exit code
 */
export async function followStarted(
  context: Context,
  container: Container,
  since: Date,
): Promise<number> {
  const stopListening = context.signals.listen((signal) => {
    void context.services.engine
      .unary(EngineServiceService.killContainer, {
        container: container.id,
        signal: String(signal),
      })
      .catch(() => undefined);
  });
  try {
    const logs = context.services.engine.serverStream(
      EngineServiceService.readLogs,
      ReadLogsRequest.create({ container: container.id, since, follow: true }),
      { signal: context.abort },
    );
    for await (const { records } of logs) {
      for (const record of records) await writeRecord(context, record);
    }
    const { exit } = await context.services.engine.unary(
      EngineServiceService.waitContainer,
      { container: container.id },
      { timeoutMs: waitTimeoutMs, signal: context.abort },
    );
    return await reportExit(context, exit, container.spec);
  } finally {
    stopListening();
  }
}
