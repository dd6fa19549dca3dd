//! Proxies and a TLS server of a few lines, on loopback, each in front of a simulator.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use headwater_simulator::Simulator;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A host that only proxies know.
pub(crate) const HIDDEN_HOST: &str = "bitbucket.invalid";

/// What a front does with a connection.
#[derive(Clone)]
enum Way {
    /// Decrypts it and passes it on.
    Tls,
    /// HTTP: `CONNECT`, or requests for whole addresses.
    Http { login: Option<String> },
    /// SOCKS 5.
    Socks { login: Option<(String, String)> },
}

/// Stands before a simulator until it is dropped.
pub(crate) struct Front {
    pub(crate) port: u16,
    targets: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl Front {
    /// Speaks TLS with a certificate of this authority.
    pub(crate) async fn tls(simulator: &Simulator, authority: &Authority) -> Self {
        let upstream = port_of(&simulator.endpoint());
        Self::start(upstream, Way::Tls, Some(authority)).await
    }

    /// A proxy that is reached by `http://`, or by `https://` with an authority.
    pub(crate) async fn http_proxy(
        simulator: &Simulator,
        login: Option<&str>,
        authority: Option<&Authority>,
    ) -> Self {
        Self::proxy_to(port_of(&simulator.endpoint()), login, authority).await
    }

    /// The same, in front of another front.
    pub(crate) async fn proxy_to(
        upstream: u16,
        login: Option<&str>,
        authority: Option<&Authority>,
    ) -> Self {
        let login = login.map(|pair| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            // Compared in lower case, as names of headers are.
            format!("proxy-authorization: basic {encoded}").to_lowercase()
        });
        Self::start(upstream, Way::Http { login }, authority).await
    }

    pub(crate) async fn socks_proxy(simulator: &Simulator, login: Option<(&str, &str)>) -> Self {
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        Self::start(port_of(&simulator.endpoint()), Way::Socks { login }, None).await
    }

    async fn start(upstream: u16, way: Way, authority: Option<&Authority>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let targets: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&targets);
        let acceptor = authority.map(|authority| authority.acceptor.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (way, log, acceptor) = (way.clone(), Arc::clone(&log), acceptor.clone());
                tokio::spawn(async move {
                    // Clients that leave in the middle are what some tests are about.
                    let _ = match acceptor {
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, way, upstream, log).await,
                            Err(error) => Err(error),
                        },
                        None => serve(stream, way, upstream, log).await,
                    };
                });
            }
        });
        Self {
            port,
            targets,
            listening,
        }
    }

    /// What the proxy was asked to reach.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap().clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

pub(crate) fn port_of(endpoint: &str) -> u16 {
    url::Url::parse(endpoint).unwrap().port().unwrap()
}

/// A port without a listener.
pub(crate) async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

type Log = Arc<Mutex<Vec<String>>>;

async fn serve<S>(mut stream: S, way: Way, upstream: u16, log: Log) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connect = || TcpStream::connect(("127.0.0.1", upstream));
    match way {
        Way::Tls => {
            let mut server = connect().await?;
            copy_bidirectional(&mut stream, &mut server).await?;
        }
        Way::Http { login } => {
            let head = read_head(&mut stream).await?;
            if login.is_some_and(|login| !head.to_lowercase().contains(&login)) {
                let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                               content-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(refusal.as_bytes()).await?;
                return stream.shutdown().await;
            }
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap());
            log.lock().unwrap().push(format!("{method} {target}"));
            let mut server = connect().await?;
            if method == "CONNECT" {
                stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
            } else {
                // The server closes after its answer, so that each request is seen here.
                let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
                server.write_all(head.as_bytes()).await?;
            }
            copy_bidirectional(&mut stream, &mut server).await?;
        }
        Way::Socks { login } => {
            let target = socks_handshake(&mut stream, login).await?;
            log.lock().unwrap().push(target);
            let mut server = connect().await?;
            copy_bidirectional(&mut stream, &mut server).await?;
        }
    }
    Ok(())
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Greets, asks for the login where there is one, and says yes to whatever is to be reached.
async fn socks_handshake(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    login: Option<(String, String)>,
) -> std::io::Result<String> {
    let refused = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    stream.read_u8().await?;
    let methods = counted(stream).await?;
    let method = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        stream.write_all(&[5, 0xff]).await?;
        return Err(refused());
    }
    stream.write_all(&[5, method]).await?;
    if let Some((user, password)) = login {
        stream.read_u8().await?;
        let (sent_user, sent_password) = (counted(stream).await?, counted(stream).await?);
        let fits = sent_user == user.as_bytes() && sent_password == password.as_bytes();
        stream.write_all(&[1, u8::from(!fits)]).await?;
        if !fits {
            return Err(refused());
        }
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
        3 => String::from_utf8_lossy(&counted(stream).await?).into_owned(),
        _ => std::net::Ipv6Addr::from(stream.read_u128().await?).to_string(),
    };
    let port = stream.read_u16().await?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    Ok(format!("{host}:{port}"))
}

/// Bytes after a byte that says how many.
async fn counted(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// An authority of one's own, and a certificate it made for this machine and [`HIDDEN_HOST`].
pub(crate) struct Authority {
    pem: String,
    acceptor: TlsAcceptor,
}

impl Authority {
    /// One for all tests.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Authority> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    fn new() -> Self {
        // A second installation is refused, which is fine: it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut own = CertificateParams::new(Vec::<String>::new()).unwrap();
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap();
        let names = ["localhost", "127.0.0.1", HIDDEN_HOST].map(str::to_owned);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap();
        let certificate = certificate.signed_by(&key, &own).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Self {
            pem: own.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config.unwrap())),
        }
    }

    /// Writes the authority's own certificate, as `ca_file` wants it.
    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, &self.pem).unwrap();
    }
}
