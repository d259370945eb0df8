export { makeCertificate, type TestCertificate } from './make-certificate.js';
export {
  sha256,
  startStub,
  type SeenRequest,
  type StubAnswer,
  type StubRegistry,
} from './stub-registry.js';
