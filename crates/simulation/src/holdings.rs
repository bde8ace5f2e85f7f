/// What a process counts against its bounds, and what it should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    pub(crate) life: u32,
    /// Commands: as they are counted, and as their jobs say.
    pub(crate) commands: (usize, usize),
    /// Entities: as they are counted, and as they came and left.
    pub(crate) entities: (usize, usize),
    /// Bytes of changes that are staged.
    pub(crate) staged_bytes: usize,
    /// Bytes of remembered command ids.
    pub(crate) id_bytes: usize,
    /// Handlers that have run: as they were observed, and as their jobs say.
    pub(crate) handled: (usize, usize),
    /// Answers of partitions: as they were observed, and as their jobs say.
    pub(crate) answered: (usize, usize),
}

impl Holdings {
    /// What is wrong with what is counted, whatever goes on.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Self { commands, entities, handled, answered, .. } = *self;
        let counts = [
            ("commands are held", commands),
            ("entities are in memory", entities),
            ("handlers have run", handled),
            ("commands were answered", answered),
        ];
        let differ = counts.into_iter().filter(|(_, (counted, right))| counted != right);
        let mut faults: Vec<String> = differ
            .map(|(what, (counted, right))| format!("counted are {counted} {what}, not {right}"))
            .collect();
        if entities.1 == 0 && self.id_bytes > 0 {
            faults.push(format!("{} bytes of ids are held by no entity", self.id_bytes));
        }
        faults
    }

    /// What a process counts although its partitions have gone.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let Self { entities: (entities, _), .. } = *self;
        let counts = [
            ("entities", entities),
            ("staged bytes", self.staged_bytes),
            ("bytes of command ids", self.id_bytes),
        ];
        let left = counts.into_iter().filter(|(_, count)| *count > 0);
        left.map(|(what, count)| format!("the engine has ended with {count} {what}")).collect()
    }
}
