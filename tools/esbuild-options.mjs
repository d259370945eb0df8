// How TypeScript becomes something that Node runs quickly.

// grpc-js and pino are CommonJS and call require at run time.
const requireShim =
  "import { createRequire as teuCreateRequire } from 'node:module';" +
  'const require = teuCreateRequire(import.meta.url);' +
  'const __filename = import.meta.filename; const __dirname = import.meta.dirname;';

/** Options of esbuild for a bundle that runs on the pinned Node. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  banner: { js: requireShim },
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  external: ['*.node'],
  logLevel: 'warning',
};
