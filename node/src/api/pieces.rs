//! Answers that are too long to be held: made piece by piece while they are sent. A client that reads slowly keeps one
//! piece waiting, and neither a thread nor a view of the ledger.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::service::Service;

/// What makes the pieces: where it stands, and how it goes on.
pub(crate) trait Writing: Send + Unpin + Sized + 'static {
    /// The next piece, and what is left to be written.
    ///
    /// # Errors
    /// A failure of reading, which cuts the answer off.
    fn next(self, service: &Service) -> Result<(Vec<u8>, Option<Self>), Failure>;
}

type Piece<W> = Result<(Vec<u8>, Option<W>), Failure>;

struct Pieces<W> {
    service: Service,
    /// The piece that is being made.
    work: Option<JoinHandle<Piece<W>>>,
}

/// A body whose first piece is there, and which `rest` goes on with.
pub(crate) fn body<W: Writing>(service: &Service, first: Vec<u8>, rest: Option<W>) -> Body {
    let Some(rest) = rest else { return Body::from(first) };
    let given = tokio::task::spawn_blocking(move || Ok((first, Some(rest))));
    Body::new(Pieces { service: service.clone(), work: Some(given) })
}

impl<W: Writing> HttpBody for Pieces<W> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(work) = self.work.as_mut() else { return Poll::Ready(None) };
        let made = ready!(Pin::new(work).poll(context));
        self.work = None;
        match made {
            Ok(Ok((bytes, rest))) => {
                if let Some(rest) = rest {
                    let service = self.service.clone();
                    self.work = Some(tokio::task::spawn_blocking(move || rest.next(&service)));
                }
                Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes)))))
            }
            Ok(Err(failure)) => Poll::Ready(Some(Err(io::Error::other(failure.problem.detail.clone())))),
            Err(error) => Poll::Ready(Some(Err(io::Error::other(error)))),
        }
    }
}
