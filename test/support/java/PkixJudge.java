import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The path validation of the JDK (RFC 5280 §6), with revocation checked for every certificate of the path and no soft
 * failure. Arguments: root, issuing CA, leaf, and then "ocsp" (at the addresses in the certificates) or a file of lists in
 * PEM. Prints "valid", or the reason of the refusal and where in the path it stands, 0 being the leaf.
 */
public final class PkixJudge {
  public static void main(String[] args) throws Exception {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    X509Certificate root = read(factory, args[0]);
    CertPath path = factory.generateCertPath(List.of(read(factory, args[2]), read(factory, args[1])));
    PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
    CertPathValidator validator = CertPathValidator.getInstance("PKIX");
    PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
    if (args[3].equals("ocsp")) {
      checker.setOptions(EnumSet.of(Option.NO_FALLBACK));
    } else {
      checker.setOptions(EnumSet.of(Option.PREFER_CRLS, Option.NO_FALLBACK));
      try (InputStream lists = new FileInputStream(args[3])) {
        CollectionCertStoreParameters known = new CollectionCertStoreParameters(factory.generateCRLs(lists));
        parameters.addCertStore(CertStore.getInstance("Collection", known));
      }
    }
    parameters.addCertPathChecker(checker);
    try {
      validator.validate(path, parameters);
      System.out.println("valid");
    } catch (CertPathValidatorException refusal) {
      System.out.println(refusal.getReason() + " at " + refusal.getIndex() + ": " + refusal.getMessage());
    }
  }

  private static X509Certificate read(CertificateFactory factory, String file) throws Exception {
    try (InputStream in = new FileInputStream(file)) {
      return (X509Certificate) factory.generateCertificate(in);
    }
  }
}
