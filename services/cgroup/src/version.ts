import packageJson from '../package.json' with { type: 'json' };

/** Version of this service, as the log and health checks say it. */
export const VERSION: string = packageJson.version;
