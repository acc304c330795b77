//! A server of the page's files, for this machine alone.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::build::{FILES, WASM, package};

/// A browser's request is shorter.
const LONGEST_REQUEST: u64 = 16 * 1024;

/// How long the server waits for a browser that sends nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until the program is ended.
pub(crate) fn serve(port: u16, wasm: &Path) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port}: {error}; `--port 0` takes a free one"))?;
    println!("http://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        let wasm = wasm.to_path_buf();
        thread::spawn(move || {
            // A browser may close a connection at any time, so that is not reported.
            let _ = stream.and_then(|stream| answer(&stream, &wasm));
        });
    }
    Ok(())
}

/// Answers one request.
fn answer(mut stream: &TcpStream, wasm: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(LONGEST_REQUEST)).lines();
    let request = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
    // Reads all of the request, because closing the connection earlier could cut the answer.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let (status, kind, body) = match request.split(' ').collect::<Vec<_>>()[..] {
        ["GET", target, _] => match file(target, wasm) {
            Some(path) => ("200 OK", kind(&path), fs::read(path)?),
            None => ("404 Not Found", "text/plain", b"There is no such file.\n".to_vec()),
        },
        _ => ("405 Method Not Allowed", "text/plain", b"GET only.\n".to_vec()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// The file that a request asks for. Only files of the page are served.
fn file(target: &str, wasm: &Path) -> Option<PathBuf> {
    let path = target.split('?').next()?.strip_prefix('/')?;
    match path {
        "" => file("/index.html", wasm),
        WASM => Some(wasm.to_path_buf()),
        path => FILES.iter().find(|(name, _)| *name == path).map(|(_, path)| package().join(path)),
    }
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_page_are_served() {
        let file = |target: &str| file(target, Path::new("/built.wasm"));
        assert!(file("/").is_some_and(|path| path.ends_with("page/index.html")));
        assert_eq!(file("/browser.wasm?1"), Some("/built.wasm".into()));
        for (name, path) in FILES {
            assert!(file(&format!("/{name}")).is_some_and(|found| found.ends_with(path) && found.exists()), "{name}");
        }
        for target in ["/Cargo.toml", "/../Cargo.toml", "//etc/passwd", "/page/index.html", "index.html", ""] {
            assert_eq!(file(target), None, "{target}");
        }
    }

    #[test]
    fn a_browser_gets_its_file() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        for (request, status) in [("GET /page.js", "200"), ("GET /none", "404"), ("POST /", "405")] {
            let mut browser = TcpStream::connect(address).unwrap();
            browser.write_all(format!("{request} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
            answer(&listener.accept().unwrap().0, Path::new("none")).unwrap();
            let mut text = String::new();
            browser.read_to_string(&mut text).unwrap();
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {text}");
        }
    }
}
