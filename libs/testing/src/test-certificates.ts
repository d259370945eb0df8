import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.js';

/** A certificate with its key, PEM files and their content. */
export interface TestCertificate {
  certificateFile: string;
  keyFile: string;
  certificate: string;
  key: string;
}

/** Makes a certificate for 127.0.0.1 that is its own authority. */
export async function makeCertificate(directory: string, name: string): Promise<TestCertificate> {
  const [certificateFile, keyFile] = [`${name}.crt`, `${name}.key`].map((file) =>
    join(directory, file),
  ) as [string, string];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  const ran = await runProgram('openssl', [
    'req',
    '-x509',
    '-days',
    '2',
    ...key,
    ...subject,
    ...files,
  ]);
  if (ran.code !== 0) throw new Error(`openssl: ${ran.stderr}`);
  return {
    ...{ certificateFile, keyFile },
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  };
}
