//! One file for each resource: its handlers, and what each asks of its caller.

mod activity;
mod allocations;
mod approvers;
mod care;
mod epochs;
mod logs;
mod node;
mod people;
mod problems;
mod runs;
mod scopes;
mod sign_in;
mod statements;
mod webhooks;

use axum::Json;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::{OpenApi, PathItem, RefOr, SecurityRequirement};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::authority::{self, Access};
use super::extract::Refused;
use super::{App, BODY_BYTES_MAX};
use crate::service::IMPORT_BYTES_MAX;

pub(super) use super::problems::Problems;
pub(crate) use problems::ProblemKind;

/// A document, or why there is none.
type Answer<T> = Result<Json<T>, Refused>;

/// Routes with what each asks of its caller.
pub(super) struct Routes(Vec<(Access, UtoipaMethodRouter<App>)>);

impl Routes {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn with(mut self, access: Access, route: UtoipaMethodRouter<App>) -> Self {
        self.0.push((access, route));
        self
    }

    /// A route that takes a whole import.
    fn with_large_body(self, access: Access, route: UtoipaMethodRouter<App>) -> Self {
        let (schemas, paths, methods) = route;
        self.with(access, (schemas, paths, methods.layer(DefaultBodyLimit::max(IMPORT_BYTES_MAX))))
    }

    fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// A router of those that this face has. Routes of the owner are at the node's own machine only.
    pub(super) fn into_router(self, app: &App) -> OpenApiRouter<App> {
        let mut router = OpenApiRouter::with_openapi(OpenApi::default());
        for (access, (schemas, mut paths, methods)) in self.0 {
            if access == Access::Own && !app.is_local() {
                continue;
            }
            for item in paths.paths.values_mut() {
                describe_access(item, access);
            }
            // Only routes that need it have a layer: every request pays for those of its route.
            let limited = if paths.paths.values().any(takes_body) {
                methods.layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            } else {
                methods
            };
            let guarded = match access {
                Access::Anyone => limited,
                _ => limited.layer(from_fn_with_state((app.clone(), access), authority::check)),
            };
            router = router.routes((schemas, paths, guarded));
        }
        router
    }
}

/// A route whose body may be left out: what it does not say has defaults.
fn with_optional_body((schemas, mut paths, methods): UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    for item in paths.paths.values_mut() {
        let operations = [&mut item.post, &mut item.patch].into_iter().flatten();
        for body in operations.filter_map(|operation| operation.request_body.as_mut()) {
            if let RefOr::T(body) = body {
                body.required = None;
            }
        }
    }
    (schemas, paths, methods)
}

/// Every route below `/api/v1`.
pub(super) fn all() -> Routes {
    node::all()
        .and(scopes::all())
        .and(approvers::all())
        .and(epochs::all())
        .and(activity::all())
        .and(allocations::all())
        .and(statements::all())
        .and(runs::all())
        .and(webhooks::all())
        .and(people::all())
        .and(sign_in::all())
        .and(logs::all())
        .and(problems::all())
        .and(care::all())
}

/// Whether a request of this path may have a body.
fn takes_body(item: &PathItem) -> bool {
    let operations = [&item.post, &item.patch, &item.put, &item.delete];
    operations.into_iter().flatten().any(|operation| operation.request_body.is_some())
}

/// Writes down in the description of a route who may use it.
fn describe_access(item: &mut PathItem, access: Access) {
    let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
    for operation in operations.into_iter().flatten() {
        let extension = utoipa::openapi::extensions::ExtensionsBuilder::new().add("x-access", access.name());
        operation.extensions = Some(extension.build());
        if access != Access::Anyone {
            operation.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
        }
    }
}
