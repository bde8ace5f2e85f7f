use super::{
    BODY_BYTES_MAX, Problem,
    problem_type::{
        BODY_TOO_LARGE, INVALID_BODY, INVALID_REQUEST, MALFORMED_JSON, SLOW_BODY,
        UNSUPPORTED_MEDIA_TYPE,
    },
};
use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{error::Error, fmt, marker::PhantomData, time::Duration};

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The body of a request: one JSON object.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match tokio::time::timeout(BODY_TIMEOUT, Json::from_request(request, state)).await {
            Ok(Ok(Json(Object(value)))) => Ok(Self(value)),
            Ok(Err(rejection)) => Err(problem_of(&rejection)),
            Err(_) => Err(Problem::new(SLOW_BODY, format!("it took longer than {BODY_TIMEOUT:?}"))),
        }
    }
}

fn problem_of(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::JsonDataError(error) => Problem::new(INVALID_BODY, cause(error)),
        JsonRejection::JsonSyntaxError(error) => Problem::new(MALFORMED_JSON, cause(error)),
        JsonRejection::MissingJsonContentType(_) => {
            Problem::new(UNSUPPORTED_MEDIA_TYPE, "the header Content-Type is not application/json")
        }
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(BODY_TOO_LARGE, format!("it has more than {BODY_BYTES_MAX} bytes"))
        }
        other => Problem::new(INVALID_REQUEST, other.body_text()),
    }
}

/// What the parser said, without what was said on the way.
fn cause(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// A value that is read from an object only. A struct alone would also be read from an array of its fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}
