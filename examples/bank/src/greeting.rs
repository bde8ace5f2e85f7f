use std::io::{self, Write};

/// Says where the bank is, and what to try there.
pub(crate) fn greet(url: &str, place: &str) -> io::Result<()> {
    // not --json: many systems have a curl that is older than that
    let json = "curl -H content-type:application/json";
    let ada = format!("{url}/accounts/ada");
    let mut out = io::stdout().lock();
    write!(
        out,
        "listening on {url}
keeping accounts in {place}; Ctrl-C ends the bank

open an account, move money, look at it:
  {json} -d '{{\"owner\":\"Ada\"}}' {ada}
  {json} -d '{{\"amount\":1500}}' {ada}/deposits
  {json} -d '{{\"amount\":400}}' {ada}/withdrawals
  curl {ada}
  curl {ada}/history
  curl {ada}/statement
  curl {url}/accounts
  curl {url}/days

watch what happens, in a browser: {url}/live

send the same deposit twice; it happens once, and is answered the same:
  {json} -d '{{\"amount\":100}}' -H 'Idempotency-Key: gift-1' {ada}/deposits
  {json} -d '{{\"amount\":100}}' -H 'Idempotency-Key: gift-1' {ada}/deposits

kill this process in the midst of load from another terminal, and start it again:
  cargo run --release -p bank -- load --url {url}

",
    )?;
    out.flush()
}
