import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * A TLS peer as Kafka is one: stores loaded by password, mutual authentication, host names verified.
 * Prints the peer's principal. Exit 0: talked; 3: refused, with the reason on standard error.
 */
public final class Peer {
    public static void main(String[] args) throws Exception {
        try {
            switch (args[0]) {
                case "names" -> names(args);
                case "client" -> client(context(args[1], args[2], args[3]), args[4], Integer.parseInt(args[5]));
                case "server" -> server(context(args[1], args[2], args[3]));
                default -> throw new IllegalArgumentException(args[0]);
            }
        } catch (IOException refused) {
            System.err.println(refused);
            System.exit(3);
        }
    }

    private static SSLContext context(String keystore, String truststore, String password) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(load(keystore, password), password.toCharArray());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(load(truststore, password));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore load(String file, String password) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(file)) {
            store.load(in, password.toCharArray());
        }
        return store;
    }

    private static void client(SSLContext context, String host, int port) throws IOException {
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(host, port)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.getOutputStream().write("ping\n".getBytes(StandardCharsets.UTF_8));
            String answer = reader(socket).readLine();
            if (!"pong".equals(answer)) throw new IOException("answered " + answer);
            System.out.println(socket.getSession().getPeerPrincipal().getName());
        }
    }

    private static void server(SSLContext context) throws IOException {
        try (SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0)) {
            listener.setNeedClientAuth(true);
            System.out.println(listener.getLocalPort());
            try (SSLSocket socket = (SSLSocket) listener.accept()) {
                String question = reader(socket).readLine();
                if (!"ping".equals(question)) throw new IOException("asked " + question);
                socket.getOutputStream().write("pong\n".getBytes(StandardCharsets.UTF_8));
                System.out.println(socket.getSession().getPeerPrincipal().getName());
            }
        }
    }

    private static BufferedReader reader(SSLSocket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Prints, for each certificate file, the name that Kafka's default principal has; UTF-8 in hexadecimal. */
    private static void names(String[] args) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        for (int i = 1; i < args.length; i++) {
            try (FileInputStream in = new FileInputStream(args[i])) {
                X509Certificate certificate = (X509Certificate) factory.generateCertificate(in);
                byte[] name = certificate.getSubjectX500Principal().getName().getBytes(StandardCharsets.UTF_8);
                StringBuilder hex = new StringBuilder();
                for (byte b : name) hex.append(String.format("%02x", b));
                System.out.println(hex);
            }
        }
    }
}
