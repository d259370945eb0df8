import packageJson from '../package.json' with { type: 'json' };

/** Version of this service, as GetDriver and the log say it. */
export const VERSION: string = packageJson.version;
