import packageJson from '../package.json' with { type: 'json' };

/** Version of the engine. */
export const VERSION: string = packageJson.version;
