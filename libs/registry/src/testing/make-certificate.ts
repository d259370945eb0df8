import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate with its key: PEM files and what is in them. */
export interface TestCertificate {
  certificateFile: string;
  keyFile: string;
  certificate: string;
  key: string;
}

/** Makes a certificate for 127.0.0.1 that is its own authority. */
export function makeCertificate(directory: string, name: string): TestCertificate {
  const certificateFile = join(directory, `${name}.crt`);
  const keyFile = join(directory, `${name}.key`);
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  const words = ['req', '-x509', '-days', '2', ...key, ...subject, ...files];
  execFileSync('openssl', words, { stdio: 'pipe' });
  return {
    ...{ certificateFile, keyFile },
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  };
}
