struct Opened;

actum_model::payload!(actum_model::Plain: Opened = "opened");

fn main() {}
