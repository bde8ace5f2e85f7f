use axum::http::{HeaderMap, header};

/// Pages of which origins may connect. A browser says where a page is from, and lets any page connect anywhere, with the
/// cookies of that place: so it is the server that must refuse. Who sends no origin is no page, and may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origins {
    /// Those of the same host and port, by the header `Host`. Behind a proxy that changes it, name them.
    #[default]
    Same,
    /// These, such as `https://bank.example`.
    These(Vec<String>),
    /// Any.
    Any,
}

impl Origins {
    /// Whether a request with these headers may connect. It serves any other route as well that changes something.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return *self == Self::Any };
        match self {
            Self::Any => true,
            Self::These(origins) => origins.iter().any(|it| it.eq_ignore_ascii_case(origin)),
            Self::Same => {
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
                let page = origin.split_once("://").map(|(_, host)| host);
                host.zip(page).is_some_and(|(host, page)| host.eq_ignore_ascii_case(page))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "bank.example:8080".parse().expect("a host"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("an origin"));
        }
        headers
    }

    #[test]
    fn pages_of_the_same_host_and_programs_may_connect() {
        for (origin, may) in [
            (None, true),
            (Some("http://bank.example:8080"), true),
            (Some("https://Bank.Example:8080"), true),
            (Some("http://bank.example"), false),
            (Some("http://evil.example"), false),
            (Some("http://bank.example:8080.evil.example"), false),
            (Some("null"), false),
        ] {
            assert_eq!(Origins::Same.allow(&headers(origin)), may, "{origin:?}");
            assert!(Origins::Any.allow(&headers(origin)));
        }
    }

    #[test]
    fn pages_that_are_named_may_connect() {
        let these = Origins::These(vec!["https://app.example".to_owned()]);
        assert!(these.allow(&headers(Some("https://app.example"))));
        assert!(!these.allow(&headers(Some("http://bank.example:8080"))));
        assert!(these.allow(&headers(None)));
    }
}
