extension OptionSet where RawValue == UInt32 {
    /// The options of a literal. The standard library's own goes through a sequence by witnesses, since it is not specialised
    /// for a type of another module: some hundred nanoseconds where this is a constant.
    @inlinable
    @inline(__always)
    package init(arrayLiteral elements: Self...) {
        var value: UInt32 = 0
        for element in elements { value |= element.rawValue }
        self.init(rawValue: value)
    }
}
