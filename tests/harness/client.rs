//! An HTTP/1.1 client over a bare socket: it sends exactly the bytes it is told to, and reads a streamed body piece by piece.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// First value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.status, self.text()))
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Status line and headers.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilClosed,
}

/// One connection, used for one request after the other.
pub struct Connection {
    reader: BufReader<TcpStream>,
    framing: Framing,
    /// Whether the request sent last was `HEAD`, whose answer has a length and no body.
    is_head: bool,
}

impl Connection {
    /// Connects; every read then waits at most [`PATIENCE`].
    pub fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("the server accepts connections");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout can be set");
        socket.set_nodelay(true).expect("nodelay can be set");
        Self { reader: BufReader::new(socket), framing: Framing::None, is_head: false }
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Sends a request with a length, and waits for nothing.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        self.is_head = method == "HEAD";
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method != "GET" {
            text += &format!("content-length: {}\r\n", body.len());
        }
        text += "\r\n";
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        self.write(&bytes)
    }

    /// Sends a request and reads its whole answer.
    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        self.send(method, path, headers, body)?;
        self.answer()
    }

    /// Reads a whole answer.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let head = self.head()?;
        let body = self.rest()?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Reads status and headers, and past interim answers (1xx).
    pub fn head(&mut self) -> io::Result<Head> {
        loop {
            let line = self.line()?;
            let status = line
                .strip_prefix("HTTP/1.1 ")
                .and_then(|rest| rest.get(..3))
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(|| invalid(format!("not a status line: {line:?}")))?;
            let mut headers = Vec::new();
            loop {
                let line = self.line()?;
                if line.is_empty() {
                    break;
                }
                let (name, value) = line.split_once(':').ok_or_else(|| invalid(format!("not a header: {line:?}")))?;
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            if (100..200).contains(&status) {
                continue;
            }
            self.framing = if self.is_head || status == 204 || status == 304 {
                Framing::None
            } else if header(&headers, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
                Framing::Chunked
            } else if let Some(length) = header(&headers, "content-length") {
                Framing::Length(length.parse().map_err(|_| invalid(format!("not a length: {length:?}")))?)
            } else {
                Framing::UntilClosed
            };
            return Ok(Head { status, headers });
        }
    }

    /// The next piece of the body as it was sent (one chunk); none at its end. A body that is cut off is an error.
    pub fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.framing {
            Framing::None => Ok(None),
            Framing::Length(length) => {
                let mut body = vec![0; length];
                self.reader.read_exact(&mut body)?;
                self.framing = Framing::None;
                Ok(Some(body).filter(|body| !body.is_empty()))
            }
            Framing::UntilClosed => {
                let mut body = Vec::new();
                self.reader.read_to_end(&mut body)?;
                self.framing = Framing::None;
                Ok(Some(body).filter(|body| !body.is_empty()))
            }
            Framing::Chunked => {
                let line = self.line()?;
                let size = usize::from_str_radix(line.trim(), 16)
                    .map_err(|_| invalid(format!("not a chunk size: {line:?}")))?;
                let mut chunk = vec![0; size];
                self.reader.read_exact(&mut chunk)?;
                let end = self.line()?;
                if !end.is_empty() {
                    return Err(invalid(format!("a chunk runs over: {end:?}")));
                }
                if size == 0 {
                    self.framing = Framing::None;
                    return Ok(None);
                }
                Ok(Some(chunk))
            }
        }
    }

    /// What is left of the body.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece()? {
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Whether the server has closed the connection, or does so within the time that reads wait.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.reader.fill_buf(), Ok([]) | Err(_))
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line)?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
            None => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("closed in the middle of a line: {line:?}")))
            }
        }
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
